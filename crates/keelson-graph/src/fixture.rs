//! A tiny language for graphs in tests, so that a test reads like a story.
//!
//! One line per owner; needs are separated by `|`. A need is an optional label, optional qualifiers,
//! a rule, and its members:
//!
//! ```text
//! # a comment
//! payments: [web pool] 2of web1 web2 web3 | [db pair] any dbA dbB | all sso
//! portal:   cap 0.3 mailapi | sso
//! hv1:      start dns
//! cdn:      weight 3 a=1 b=2.5 | share 100 gbps x=60 y=60
//! queue:    50% q1 q2 q3
//! shop:     assumed all b1 b2 | k 1,2 2of c1 c2 c3 | doubtful d | any e1 e2?
//! lonely
//! ```
//!
//! Qualifiers: `cap C` (soft), `start` or `both` (phase), `assumed` (the rule is a guess), `k A,B`
//! (possible counts), `doubtful` (the whole need is in doubt); a member with `?` is a doubtful
//! member. Rules: `all` (may be left out), `any`, `Kof`, `P%`, `weight THRESHOLD`, `share DEMAND
//! UNIT` (a demand of `-` is unknown). Items come into being by being named and are numbered in the
//! order of their names' first appearance; needs are tagged 0, 1, 2 … in the order of the text.

use std::collections::HashMap;

use keelson_model::{Phase, Rule};
use thiserror::Error;

use crate::{Builder, Doubt, GraphError, ItemIx, NeedSpec, Snapshot};

/// A graph told in the fixture language, with the names used in the telling.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The graph.
    pub snapshot: Snapshot,
    /// Its needs as they were given to the builder; the tag of each is its place in this list.
    pub specs: Vec<NeedSpec>,
    names: Vec<String>,
    labels: Vec<String>,
    numbers: HashMap<String, ItemIx>,
}

/// Why a text is not a graph.
#[derive(Debug, Error)]
pub enum FixtureError {
    /// A word that cannot stand where it stands.
    #[error("line {line}: cannot read {word:?} as {wanted}")]
    Word {
        /// Line, from 1.
        line: usize,
        /// The word.
        word: String,
        /// What was wanted there.
        wanted: &'static str,
    },
    /// A graph that cannot be built.
    #[error("the text describes a graph that cannot be built")]
    Graph(#[from] GraphError),
}

impl Fixture {
    /// Reads a graph.
    ///
    /// # Errors
    /// When a word cannot be read, or when the graph described is not meaningful.
    pub fn parse(text: &str) -> Result<Self, FixtureError> {
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            reader.line = number + 1;
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some((owner, needs)) = line.split_once(':') {
                let owner = reader.item(owner.trim());
                for need in needs.split('|') {
                    reader.need(owner, need)?;
                }
            } else if !line.is_empty() {
                reader.item(line);
            }
        }
        let Reader { names, labels, numbers, specs, .. } = reader;
        let mut builder = Builder::new();
        for number in 0..names.len() {
            builder.item(ItemIx::of(number));
        }
        for spec in &specs {
            builder.need(spec.clone())?;
        }
        Ok(Self { snapshot: builder.build()?, specs, names, labels, numbers })
    }

    /// The item of a name.
    ///
    /// # Panics
    /// When the text does not name it.
    #[must_use]
    pub fn item(&self, name: &str) -> ItemIx {
        *self.numbers.get(name).unwrap_or_else(|| panic!("the fixture names no item {name:?}"))
    }

    /// The items of several names, separated by spaces.
    #[must_use]
    pub fn items(&self, names: &str) -> Vec<ItemIx> {
        names.split_whitespace().map(|name| self.item(name)).collect()
    }

    /// The name of an item.
    #[must_use]
    pub fn name(&self, item: ItemIx) -> &str {
        &self.names[item.index()]
    }

    /// The names of items, sorted and separated by spaces.
    pub fn names(&self, items: impl IntoIterator<Item = ItemIx>) -> String {
        let mut names: Vec<&str> = items.into_iter().map(|item| self.name(item)).collect();
        names.sort_unstable();
        names.join(" ")
    }

    /// The label of the need with a tag; empty when it has none.
    #[must_use]
    pub fn label(&self, tag: u64) -> &str {
        usize::try_from(tag).ok().and_then(|tag| self.labels.get(tag)).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Reader {
    line: usize,
    names: Vec<String>,
    labels: Vec<String>,
    numbers: HashMap<String, ItemIx>,
    specs: Vec<NeedSpec>,
}

impl Reader {
    fn item(&mut self, name: &str) -> ItemIx {
        let next = ItemIx::of(self.names.len());
        *self.numbers.entry(name.to_owned()).or_insert_with(|| {
            self.names.push(name.to_owned());
            next
        })
    }

    fn wrong(&self, word: &str, wanted: &'static str) -> FixtureError {
        FixtureError::Word { line: self.line, word: word.to_owned(), wanted }
    }

    fn number<T: std::str::FromStr>(&self, word: Option<&str>, wanted: &'static str) -> Result<T, FixtureError> {
        let word = word.unwrap_or_default();
        word.parse().map_err(|_| self.wrong(word, wanted))
    }

    fn need(&mut self, owner: ItemIx, text: &str) -> Result<(), FixtureError> {
        let (label, text) = match text.trim().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((label, rest)) => (label, rest),
            None => ("", text.trim()),
        };
        let mut words = text.split_whitespace().peekable();
        let tag = self.specs.len() as u64;
        let mut spec = NeedSpec { cap: 1.0, ..NeedSpec::new(owner, Vec::new(), Rule::All, tag) };
        while let Some(&word) = words.peek() {
            match word {
                "cap" => {
                    words.next();
                    spec.cap = self.number(words.peek().copied(), "a cap")?;
                }
                "start" => spec.phase = Phase::Start,
                "both" => spec.phase = Phase::Both,
                "assumed" => spec.doubt.rule_assumed = true,
                "doubtful" => spec.doubt.existence = true,
                "k" => {
                    words.next();
                    for count in words.peek().copied().unwrap_or_default().split(',') {
                        spec.doubt.counts.push(self.number(Some(count), "a count")?);
                    }
                }
                _ => break,
            }
            words.next();
        }
        let mut rule = self.rule(&mut words)?;
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let member = self.item(name.trim_end_matches('?'));
            if name.ends_with('?') {
                spec.doubt.members.push(member);
            }
            spec.members.push(member);
            if let Rule::Weight { weights: values, .. } | Rule::Share { capacities: values, .. } = &mut rule {
                values.push(self.number(Some(value), "the member's number")?);
            }
        }
        spec.rule = rule;
        self.specs.push(spec);
        self.labels.push(label.to_owned());
        Ok(())
    }

    fn rule<'a>(&self, words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Result<Rule, FixtureError> {
        let word = words.peek().copied().unwrap_or_default();
        let rule = if let Some(k) = word.strip_suffix("of").and_then(|k| k.parse().ok()) {
            Rule::AtLeast { k }
        } else if let Some(percent) = word.strip_suffix('%') {
            Rule::Percent { percent: self.number(Some(percent), "a percentage")? }
        } else {
            match word {
                "all" => Rule::All,
                "any" => Rule::Any,
                "weight" => {
                    words.next();
                    let threshold = self.number(words.peek().copied(), "a threshold")?;
                    Rule::Weight { weights: Vec::new(), threshold }
                }
                "share" => {
                    words.next();
                    let demand = match words.next() {
                        Some("-") => None,
                        word => Some(self.number(word, "a demand")?),
                    };
                    let unit = words.peek().copied().unwrap_or_default().to_owned();
                    Rule::Share { capacities: Vec::new(), unit, demand }
                }
                _ => return Ok(Rule::All),
            }
        };
        words.next();
        Ok(rule)
    }
}

impl Fixture {
    /// The doubt of the need with a label.
    ///
    /// # Panics
    /// When no need has the label.
    #[must_use]
    pub fn doubt(&self, label: &str) -> &Doubt {
        let at = self.labels.iter().position(|known| known == label);
        &self.specs[at.unwrap_or_else(|| panic!("the fixture labels no need {label:?}"))].doubt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_language_is_understood() {
        let graph = Fixture::parse(
            "
            # everything at once
            a: [pool] k 1,2 2of b c d? | cap 0.3 e | start b | both any b c
            f: weight 3 b=1 c=2.5 | share 100 gbps d=60 e=60 | share - gbps b=1
            g: assumed all b c | doubtful b | 50% b c d
            lonely",
        )
        .expect("the text is well formed");
        assert_eq!(graph.snapshot.items(), 8);
        assert_eq!(graph.label(0), "pool");
        assert_eq!(graph.doubt("pool").members, graph.items("d"));
        assert_eq!(graph.specs[1].cap, 0.3);
        assert_eq!(graph.specs[2].phase, Phase::Start);
        assert_eq!(graph.specs[3].phase, Phase::Both);
        assert_eq!(graph.specs[4].rule, Rule::Weight { weights: vec![1.0, 2.5], threshold: 3.0 });
        assert!(matches!(&graph.specs[5].rule, Rule::Share { demand: Some(d), .. } if *d == 100.0));
        assert!(matches!(graph.specs[6].rule, Rule::Share { demand: None, .. }));
        assert!(graph.specs[7].doubt.rule_assumed && graph.specs[8].doubt.existence);
        assert_eq!(graph.specs[9].rule, Rule::Percent { percent: 50 });
        // What the graph gives back is what it was given, members sorted.
        for item in graph.snapshot.item_numbers() {
            for need in graph.snapshot.needs(item) {
                let given = &graph.specs[usize::try_from(need.tag).expect("small")];
                assert_eq!(&need.to_spec(), given);
            }
        }
    }

    #[test]
    fn a_word_out_of_place_is_named() {
        let error = Fixture::parse("a: cap lots b").expect_err("not a number");
        assert_eq!(error.to_string(), "line 1: cannot read \"lots\" as a cap");
        assert!(Fixture::parse("a: 3of b c").is_err());
        assert!(Fixture::parse("a: any b b").is_err());
    }
}
