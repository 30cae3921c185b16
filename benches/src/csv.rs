//! Reading a graph from the two files that `gen_graph.py` writes.
//!
//! `nodes.csv` begins with `id,class`; `edges.csv` is `source,target,type,group,need`, where source
//! depends on target, and rows of one group (of one source) are the members of a redundancy need of
//! which `need` must be up. No value is quoted.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use keelson_graph::{Builder, GraphError, ItemIx, NeedSpec, Snapshot};
use keelson_model::Rule;

/// A graph read from files.
pub struct Graph {
    /// Relationships that stand for themselves: dependent, dependency.
    pub plain: Vec<(ItemIx, ItemIx)>,
    /// Redundancy needs: owner, members, how many must be up.
    pub groups: Vec<(ItemIx, Vec<ItemIx>, u32)>,
    /// The class of each item.
    pub classes: Vec<String>,
}

/// Why a graph cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// A file that cannot be read.
    File(PathBuf, io::Error),
    /// A line that is not of the form expected.
    Line(PathBuf, usize),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Line(path, line) => write!(f, "{}:{line} is not of the form expected", path.display()),
        }
    }
}

impl std::error::Error for ReadError {}

impl Graph {
    /// Reads a graph.
    ///
    /// # Errors
    /// When a file cannot be read or does not have the form expected.
    pub fn read(nodes: &Path, edges: &Path) -> Result<Self, ReadError> {
        let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| ReadError::File(path.to_owned(), e));
        let mut graph = Self { plain: Vec::new(), groups: Vec::new(), classes: Vec::new() };
        for (number, line) in read(nodes)?.lines().enumerate().skip(1) {
            let mut fields = line.splitn(3, ',');
            let id = fields.next().and_then(|id| id.parse::<usize>().ok());
            match (id, fields.next()) {
                (Some(id), Some(class)) if id == graph.classes.len() => graph.classes.push(class.to_owned()),
                _ => return Err(ReadError::Line(nodes.to_owned(), number + 1)),
            }
        }
        let mut groups: BTreeMap<(u32, u64), (Vec<ItemIx>, u32)> = BTreeMap::new();
        for (number, line) in read(edges)?.lines().enumerate().skip(1) {
            let row = Row::parse(line, graph.classes.len());
            let row = row.ok_or_else(|| ReadError::Line(edges.to_owned(), number + 1))?;
            match row.group {
                None => graph.plain.push((row.source, row.target)),
                Some((group, need)) => {
                    let (members, k) = groups.entry((row.source.0, group)).or_default();
                    members.push(row.target);
                    *k = need;
                }
            }
        }
        graph.groups = groups.into_iter().map(|((owner, _), (members, k))| (ItemIx(owner), members, k)).collect();
        Ok(graph)
    }

    /// Builds the snapshot.
    ///
    /// # Errors
    /// When a need is not meaningful.
    pub fn build(&self) -> Result<Snapshot, GraphError> {
        let mut builder = Builder::with_capacity(self.classes.len(), self.plain.len());
        for item in 0..self.classes.len() {
            builder.item(ItemIx::of(item));
        }
        let mut tag = 0;
        for &(owner, member) in &self.plain {
            builder.plain(owner, member, tag);
            tag += 1;
        }
        for (owner, members, k) in &self.groups {
            builder.need(NeedSpec::new(*owner, members.clone(), Rule::AtLeast { k: *k }, tag))?;
            tag += 1;
        }
        builder.build()
    }
}

struct Row {
    source: ItemIx,
    target: ItemIx,
    group: Option<(u64, u32)>,
}

impl Row {
    fn parse(line: &str, items: usize) -> Option<Self> {
        let mut fields = line.split(',');
        let mut item = || fields.next()?.parse().ok().map(ItemIx).filter(|item| item.index() < items);
        let (source, target) = (item()?, item()?);
        let (group, need) = (fields.nth(1)?, fields.next()?);
        let group = if group.is_empty() { None } else { Some((group.parse().ok()?, need.parse().ok()?)) };
        Some(Self { source, target, group })
    }
}
