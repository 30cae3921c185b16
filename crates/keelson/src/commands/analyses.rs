//! The analyses of the graph: one question is asked, and its report is written in the form asked for.

use std::io::Write;
use std::path::Path;

use anyhow::anyhow;
use keelson_app::answers::Asked;
use keelson_app::{Answer, AskError, Frame, Report, report, runs_out, system};
use keelson_report::document::{Document, Id};
use keelson_report::{csv, html, markdown};

use crate::cli::analyses::suppliers::SupplierAction;
use crate::cli::analyses::{Analysis, Asking, CapacityAction};
use crate::cli::board::DocumentForm;
use crate::cli::{Format, Global};
use crate::commands::ask::{ask_supposing, unexpected};
use crate::failure::{Exit, Failure};
use crate::output::Grounds;
use crate::{output, render};

/// `keelson capacity`.
pub(super) async fn capacity(global: &Global, action: CapacityAction) -> Result<Exit, Failure> {
    match action {
        CapacityAction::Plan(args) => run(global, &args).await,
        CapacityAction::Throughput(args) => run(global, &args).await,
        CapacityAction::RunsOut(args) => written(global, &args, runs_out).await,
    }
}

/// `keelson supplier`.
pub(super) async fn supplier(global: &Global, action: SupplierAction) -> Result<Exit, Failure> {
    match action {
        SupplierAction::Loss(args) => run(global, &args).await,
        SupplierAction::Concentration(args) => run(global, &args).await,
        SupplierAction::Gap(args) => run(global, &args).await,
        SupplierAction::Register(args) => run(global, &args).await,
    }
}

/// Asks an analysis and writes its report.
pub(super) async fn run(global: &Global, analysis: &impl Analysis) -> Result<Exit, Failure> {
    written(global, analysis, report).await
}

/// Asks an analysis and writes the report that something makes of its answer.
async fn written(
    global: &Global,
    analysis: &impl Analysis,
    report: impl Fn(&Answer, &Frame) -> Result<Option<Report>, AskError>,
) -> Result<Exit, Failure> {
    let asking = analysis.asking();
    let zone = asking.zone.parse().map_err(Failure::input)?;
    if asking.form == Some(DocumentForm::Csv) && asking.to_file.is_none() {
        return Err(Failure::input(anyhow!("name the folder for the tables with --to-file")));
    }
    let answer = ask_supposing(global, analysis.question(), &asking.past, &asking.supposing).await?;
    let frame = Frame { computed_at: Asked::now(system::now()).at, zone };
    let report = report(&answer, &frame)?.ok_or_else(unexpected)?;
    match asking.form {
        Some(form) => document(&report, form, asking)?,
        None => told(global.output, &report)?,
    }
    Ok(Exit::Done)
}

/// Writes a report in the form that all answers are written in.
fn told(format: Format, report: &Report) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match format {
        Format::Table => render::document(&mut out, &report.document)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &report.answer).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for row in &report.rows {
                serde_json::to_writer(&mut out, row).map_err(std::io::Error::from)?;
                writeln!(out)?;
            }
        }
        Format::Csv => {
            if let Some(table) = report.main_table() {
                out.write_all(csv::table_text(table).as_bytes())?;
            }
        }
    }
    out.flush()?;
    if matches!(format, Format::Ndjson | Format::Csv)
        && let Some(grounds) = Grounds::of(&report.answer)
    {
        grounds.aside();
    }
    Ok(())
}

/// Writes a report as a document.
fn document(report: &Report, form: DocumentForm, asking: &Asking) -> Result<(), Failure> {
    let text = match form {
        DocumentForm::Html => html::render(&report.document),
        DocumentForm::Markdown => {
            let figure_files = asking.to_file.as_deref().map(|path| figures(&report.document, path)).transpose()?;
            markdown::render(&report.document, &markdown::Options { figure_files })
        }
        DocumentForm::Json => serde_json::to_string_pretty(&report.answer).map_err(Failure::trouble)? + "\n",
        DocumentForm::Csv => return asking.to_file.as_deref().map_or(Ok(()), |folder| tables(report, folder)),
    };
    match &asking.to_file {
        Some(path) => std::fs::write(path, text)?,
        None => output::whole(&text)?,
    }
    Ok(())
}

/// Writes the plots of a document beside its file, and says how their names begin.
fn figures(document: &Document, path: &Path) -> Result<String, Failure> {
    let stem = path.file_stem().map_or_else(|| "report".into(), std::ffi::OsStr::to_string_lossy);
    let prefix = format!("{stem}-");
    for (name, figure) in document.named_figures() {
        let file = path.with_file_name(format!("{prefix}{}.svg", name.as_str()));
        std::fs::write(file, figure.svg.markup(&Id::new("plot")))?;
    }
    Ok(prefix)
}

fn tables(report: &Report, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    for file in csv::render(&report.document) {
        std::fs::write(folder.join(&file.name), file.text)?;
    }
    let Some(grounds) = Grounds::of(&report.answer) else { return Ok(()) };
    std::fs::write(folder.join(ABOUT), about(&report.document.title, &grounds).map_err(Failure::trouble)?)?;
    grounds.aside();
    Ok(())
}

/// The file beside tables that says what they rest on, and what they leave out.
const ABOUT: &str = "about.csv";

fn about(title: &str, grounds: &Grounds) -> anyhow::Result<Vec<u8>> {
    let mut csv = ::csv::Writer::from_writer(Vec::new());
    csv.write_record(["what", "value"])?;
    let mut write = |what: &str, value: &str| csv.write_record([what, output::harmless(value).as_str()]);
    write("title", title)?;
    write("revision", &grounds.revision.to_string())?;
    write("complete", if grounds.complete { "yes" } else { "no" })?;
    grounds.supposing.iter().try_for_each(|line| write("supposing", line))?;
    grounds.limits.iter().try_for_each(|limit| write("limit", &limit.message))?;
    Ok(csv.into_inner()?)
}
