//! Synthetic estates of the shape that large catalogues have.
//!
//! Layers from business services down to sites and suppliers; popularity of shared items by a power
//! law, which makes hubs; redundancy needs of two to five members; one component in two hundred
//! closes a small cycle. The shape follows `gen_graph.py`, which the files for `measure` come from;
//! the numbers are this program's own, from a generator that gives the same estate everywhere.

use keelson_graph::{Builder, ItemIx, NeedSpec, Snapshot};
use keelson_model::Rule;

/// How large an estate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Name of the size.
    pub name: &'static str,
    /// How many items.
    pub items: u32,
    /// About how many relationships.
    pub relationships: u32,
}

/// The three sizes every question is asked at.
pub const SIZES: [Size; 3] = [
    Size { name: "S", items: 10_000, relationships: 40_000 },
    Size { name: "M", items: 100_000, relationships: 500_000 },
    Size { name: "L", items: 1_000_000, relationships: 5_000_000 },
];

/// The layers, from the top, with the share of items in each, in tenths of a per cent.
const LAYERS: [(Layer, u32); 9] = [
    (Layer::Service, 10),
    (Layer::Application, 50),
    (Layer::Component, 240),
    (Layer::Data, 100),
    (Layer::Compute, 403),
    (Layer::Platform, 120),
    (Layer::Infrastructure, 70),
    (Layer::Site, 2),
    (Layer::Supplier, 5),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Service,
    Application,
    Component,
    Data,
    Compute,
    Platform,
    Infrastructure,
    Site,
    Supplier,
}

/// A need before it is given to the graph.
#[derive(Clone, Debug)]
pub struct Need {
    /// The dependent.
    pub owner: u32,
    /// The dependencies.
    pub members: Vec<u32>,
    /// How many of them must be up.
    pub required: u32,
}

/// A synthetic estate.
#[derive(Clone, Debug)]
pub struct Estate {
    /// How many items it has.
    pub items: u32,
    /// What they need.
    pub needs: Vec<Need>,
    /// The business services.
    pub services: Vec<ItemIx>,
    /// The items by how many needs name them, most first; the first hundred.
    pub hubs: Vec<ItemIx>,
}

impl Estate {
    /// Makes the estate of a size.
    #[must_use]
    pub fn of(size: Size) -> Self {
        let mut maker = Maker::new(size);
        maker.upper_layers();
        maker.components();
        maker.lower_layers();
        maker.top_up();
        maker.finish()
    }

    /// Builds the snapshot.
    #[must_use]
    pub fn build(&self) -> Snapshot {
        let mut builder = Builder::with_capacity(self.items as usize, self.needs.len());
        for item in 0..self.items {
            builder.item(ItemIx(item));
        }
        for (tag, need) in (0..).zip(&self.needs) {
            match need.members[..] {
                [member] => drop_ref(builder.plain(ItemIx(need.owner), ItemIx(member), tag)),
                _ => {
                    let members = need.members.iter().map(|&member| ItemIx(member)).collect();
                    let rule = Rule::AtLeast { k: need.required };
                    let spec = NeedSpec::new(ItemIx(need.owner), members, rule, tag);
                    drop_ref(builder.need(spec).expect("generated needs are meaningful"));
                }
            }
        }
        builder.build().expect("generated estates are whole")
    }
}

/// Ends a builder's chain of calls.
fn drop_ref(_: &mut Builder) {}

/// A small generator of pseudo-random numbers (SplitMix64, Steele and others 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Starts a sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `sides`, which must not be 0.
    pub fn below(&mut self, sides: u32) -> u32 {
        u32::try_from(self.next() % u64::from(sides)).expect("it is below a 32-bit number")
    }

    /// Whether something of this chance, in per cent, happens.
    fn happens(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// A place in a list of `len`, the first ones far more often: len · u³ for u in [0, 1).
    fn popular(&mut self, len: u32) -> u32 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits of a random number are enough")]
        let u = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and len")]
        let place = (f64::from(len) * u * u * u) as u32;
        place.min(len - 1)
    }
}

struct Maker {
    size: Size,
    dice: Dice,
    /// Where each layer begins, and where the last one ends.
    starts: Vec<u32>,
    needs: Vec<Need>,
    relationships: u32,
    /// Items are numbered at random, so that a number says nothing about the layer.
    shuffled: Vec<u32>,
}

impl Maker {
    fn new(size: Size) -> Self {
        let mut dice = Dice::new(42);
        let mut starts = vec![0];
        for (_, share) in LAYERS {
            let last = starts.last().copied().unwrap_or(0);
            starts.push(last + (size.items / 1_000 * share).max(2));
        }
        starts[LAYERS.len()] = size.items;
        let mut shuffled: Vec<u32> = (0..size.items).collect();
        for at in (1..size.items).rev() {
            shuffled.swap(at as usize, dice.below(at + 1) as usize);
        }
        Self { size, dice, starts, needs: Vec::new(), relationships: 0, shuffled }
    }

    fn range(&self, layer: Layer) -> std::ops::Range<u32> {
        let at = LAYERS.iter().position(|(known, _)| *known == layer).unwrap_or(0);
        self.starts[at]..self.starts[at + 1]
    }

    fn popular(&mut self, layer: Layer) -> u32 {
        let range = self.range(layer);
        range.start + self.dice.popular(range.len() as u32)
    }

    fn any(&mut self, layer: Layer) -> u32 {
        let range = self.range(layer);
        range.start + self.dice.below(range.len() as u32)
    }

    fn hard(&mut self, owner: u32, member: u32) {
        if owner != member {
            self.relationships += 1;
            self.needs.push(Need { owner, members: vec![member], required: 1 });
        }
    }

    /// `count` neighbours in a layer, of which `required` must be up.
    fn redundant(&mut self, owner: u32, layer: Layer, count: u32, required: u32) {
        let range = self.range(layer);
        let count = count.min(range.len() as u32);
        let first = range.start + self.dice.below(range.len() as u32 - count + 1);
        self.relationships += count;
        self.needs.push(Need { owner, members: (first..first + count).collect(), required: required.min(count) });
    }

    fn upper_layers(&mut self) {
        for service in self.range(Layer::Service) {
            for _ in 0..3 + self.dice.below(10) {
                let application = self.popular(Layer::Application);
                self.hard(service, application);
            }
        }
        for application in self.range(Layer::Application) {
            for _ in 0..2 {
                let component = self.any(Layer::Component);
                self.hard(application, component);
            }
            if self.dice.happens(30) {
                let gateway = self.popular(Layer::Infrastructure);
                self.hard(application, gateway);
            }
        }
    }

    fn components(&mut self) {
        let range = self.range(Layer::Component);
        for component in range.clone() {
            if self.dice.happens(65) {
                let application = self.popular(Layer::Application);
                self.hard(application, component);
            }
            self.call(component);
            self.call(component);
            let data = self.any(Layer::Data);
            self.hard(component, data);
            let count = [1, 1, 2, 2, 3, 4, 5][self.dice.below(7) as usize];
            let required = if self.dice.happens(70) { 1 } else { count / 2 + 1 };
            self.redundant(component, Layer::Compute, count, required);
            if self.dice.below(200) == 0 && component + 2 < range.end {
                self.hard(component, component + 1);
                self.hard(component + 1, component);
            }
        }
    }

    /// One component calls another of its neighbourhood, or a popular one; calls go to larger
    /// numbers, so that they close no cycle.
    fn call(&mut self, component: u32) {
        let range = self.range(Layer::Component);
        let near = component + 1 + self.dice.below(40);
        let popular = range.end - 1 - self.dice.popular(range.len() as u32);
        let callee = if self.dice.happens(75) { near } else { popular };
        if callee > component && callee < range.end {
            self.hard(component, callee);
        }
    }

    fn lower_layers(&mut self) {
        for data in self.range(Layer::Data) {
            let count = [1, 2, 3, 5][self.dice.below(4) as usize];
            self.redundant(data, Layer::Compute, count, count / 2 + 1);
        }
        for compute in self.range(Layer::Compute) {
            let platform = self.popular(Layer::Platform);
            self.hard(compute, platform);
            if self.dice.happens(35) {
                let storage = self.popular(Layer::Infrastructure);
                self.hard(compute, storage);
            }
            if self.dice.happens(25) {
                self.redundant(compute, Layer::Infrastructure, 2, 1);
            }
        }
        for platform in self.range(Layer::Platform) {
            self.redundant(platform, Layer::Infrastructure, 2, 1);
            let site = self.popular(Layer::Site);
            self.hard(platform, site);
        }
        for infrastructure in self.range(Layer::Infrastructure) {
            let site = self.popular(Layer::Site);
            self.hard(infrastructure, site);
        }
        for _ in 0..self.size.items / 25 {
            let owner = self.dice.below(self.range(Layer::Supplier).start);
            let supplier = self.popular(Layer::Supplier);
            self.hard(owner, supplier);
        }
    }

    /// Adds calls and reads until the estate has the relationships it should have.
    fn top_up(&mut self) {
        while self.relationships < self.size.relationships {
            let component = self.any(Layer::Component);
            self.call(component);
            let data = self.popular(Layer::Data);
            self.hard(component, data);
        }
    }

    fn finish(mut self) -> Estate {
        let services = self.range(Layer::Service);
        let mut named = vec![0_u32; self.size.items as usize];
        for need in &mut self.needs {
            need.owner = self.shuffled[need.owner as usize];
            for member in &mut need.members {
                *member = self.shuffled[*member as usize];
                named[*member as usize] += 1;
            }
        }
        let mut hubs: Vec<u32> = (0..self.size.items).collect();
        hubs.sort_by_key(|item| std::cmp::Reverse((named[*item as usize], *item)));
        Estate {
            items: self.size.items,
            needs: self.needs,
            services: services.map(|item| ItemIx(self.shuffled[item as usize])).collect(),
            hubs: hubs.into_iter().take(100).map(ItemIx).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estate_has_the_size_and_the_shape_it_should_have() {
        let estate = Estate::of(SIZES[0]);
        let snapshot = estate.build();
        assert_eq!(snapshot.items(), 10_000);
        assert!((40_000..40_100).contains(&snapshot.memberships()));
        let redundant = estate.needs.iter().filter(|need| need.members.len() > 1).count();
        assert!(redundant * 5 > estate.needs.len() / 2, "redundancy needs are common");
        assert!(snapshot.owners(estate.hubs[0]).len() > 300, "there are hubs");
        let cycles = keelson_graph::components(&snapshot).cycles().count();
        assert!((1..100).contains(&cycles), "there are some cycles, and small ones: {cycles}");
        assert_eq!(Estate::of(SIZES[0]).hubs, estate.hubs, "the same estate every time");
    }
}
