//! `keelson export`: everything, or a cone, in an open form.

mod batch;
mod dot;
mod graphml;
pub(crate) mod series;
mod tables;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use keelson_app::View;
use keelson_app::answers::projection::is_still_needed;
use keelson_app::answers::walk::{Way, cone};
use keelson_catalogue::{CiIx, NeedIx, RelationshipIx};
use keelson_model::Standing;

use crate::cli::{Export, ExportFormat, Global};
use crate::failure::{Exit, Failure};
use crate::open;

/// What is written: a view, and which of its records.
pub(crate) struct Extract {
    view: View,
    /// Items, in order of their keys.
    items: Vec<CiIx>,
    within: BTreeSet<CiIx>,
}

/// Runs the command.
pub(crate) async fn run(global: &Global, args: &Export) -> Result<Exit, Failure> {
    let as_of = open::as_of(&args.past)?;
    let keelson = open::unchecked(global).await?;
    let (view, asked) = keelson.view_for(as_of).await?;
    let extract = Extract::of(view, args.cone.as_deref())?;
    let source = args.source.clone();
    let mut out = writer(args.to.as_deref())?;
    let format = args.format;
    let written = tokio::task::spawn_blocking(move || -> io::Result<usize> {
        let mut out = BufWriter::new(&mut out);
        match format {
            ExportFormat::Batch => batch::write(&mut out, &extract, &source, asked.at)?,
            ExportFormat::Graphml => graphml::write(&mut out, &extract)?,
            ExportFormat::Dot => dot::write(&mut out, &extract)?,
            ExportFormat::Csv => tables::write(&mut out, &extract)?,
        }
        out.flush()?;
        Ok(extract.items.len())
    });
    let written = written.await.map_err(Failure::trouble)??;
    eprintln!("{written} configuration items written");
    Ok(Exit::Done)
}

/// What is written to: a file that is made for it, or standard output.
fn writer(to: Option<&Path>) -> Result<Box<dyn Write + Send>, Failure> {
    let Some(path) = to else { return Ok(Box::new(io::stdout())) };
    let made = File::create_new(path)
        .with_context(|| format!("failed to make {}; a file that exists is never overwritten", path.display()));
    Ok(Box::new(made.map_err(Failure::input)?))
}

impl Extract {
    fn of(view: View, cone_of: Option<&str>) -> Result<Self, Failure> {
        let catalogue = &view.catalogue;
        let mut items: Vec<CiIx> = match cone_of {
            Some(key) => cone(&view, key, Way::Needs).map_err(Failure::input)?,
            None => {
                // What is withdrawn and still needed is in the graph, so it is in every form of it.
                let is_written =
                    |ix: CiIx| catalogue.ci(ix).standing != Standing::Withdrawn || is_still_needed(catalogue, ix);
                catalogue.cis().map(|(ix, _)| ix).filter(|ix| is_written(*ix)).collect()
            }
        };
        items.sort_by(|a, b| catalogue.ci(*a).key.cmp(&catalogue.ci(*b).key));
        let within = items.iter().copied().collect();
        Ok(Self { view, items, within })
    }

    /// Live relationships between items of the extract, by dependent.
    fn relationships(&self) -> impl Iterator<Item = RelationshipIx> + '_ {
        let catalogue = &self.view.catalogue;
        self.items.iter().flat_map(|ix| catalogue.slot(*ix).dependencies.iter().copied()).filter(|relationship| {
            let slot = catalogue.relationship(*relationship);
            slot.relationship.standing == Standing::Live && self.within.contains(&slot.dependency)
        })
    }

    /// Live needs of items of the extract.
    fn needs(&self) -> impl Iterator<Item = NeedIx> + '_ {
        let catalogue = &self.view.catalogue;
        self.items
            .iter()
            .flat_map(|ix| catalogue.slot(*ix).needs.iter().copied())
            .filter(|need| catalogue.need(*need).need.standing == Standing::Live)
    }

    fn key(&self, ix: CiIx) -> &str {
        self.view.catalogue.ci(ix).key.as_str()
    }
}

/// Text as XML and HTML take it; control characters that XML has no form for become spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() && !matches!(control, '\n' | '\t' | '\r') => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
