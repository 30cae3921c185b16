//! A short form of an answer, to compare it between tools.

use std::fmt;

use keelson_graph::ItemIx;

/// Count, sum and exclusive or of the numbers of the items in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// How many items.
    pub count: u64,
    /// The sum of their numbers.
    pub sum: u64,
    /// The exclusive or of their numbers.
    pub xor: u64,
}

impl FromIterator<ItemIx> for Signature {
    fn from_iter<I: IntoIterator<Item = ItemIx>>(items: I) -> Self {
        let add = |total: Self, item: ItemIx| {
            let number = u64::from(item.0);
            Self { count: total.count + 1, sum: total.sum + number, xor: total.xor ^ number }
        };
        items.into_iter().fold(Self::default(), add)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{}", self.count, self.sum, self.xor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_does_not_depend_on_order() {
        let of = |items: [u32; 3]| items.into_iter().map(ItemIx).collect::<Signature>();
        assert_eq!(of([5, 9, 1_000]), of([1_000, 5, 9]));
        assert_eq!(of([5, 9, 1_000]), Signature { count: 3, sum: 1_014, xor: 5 ^ 9 ^ 1_000 });
    }
}
