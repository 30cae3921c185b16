//! The importer of Terraform states.
//!
//! Reads state files of version 4 and what `terraform show -json` prints of a state, or of a plan
//! (then only the state before the plan). Every state is a batch of its own.
//!
//! | The state says on A | Keelson stores |
//! | --- | --- |
//! | an attribute holds the identifier of x | by the table of pairs, mostly A needs x |
//! | `dependencies`, `depends_on`: x | A depends on x, as weak evidence, unless an attribute explains it |
//! | the same, of a resource with several instances | one need of all instances |
//! | a module in the address | A is part of the module, the module of the one around it |
//!
//! The rows are data ([`table`]), as are classes and attributes. A resource is known by the lineage
//! of the state and its address; what it is outside of Terraform (an ARN, a resource id) stands
//! among its attributes, so that other sources meet it there. Data sources are lookups: they appear
//! only where something refers to them, as placeholders.
//!
//! The lists of dependencies name everything that had to exist before, near or far. So they count
//! little ([`ORDER_CONFIDENCE`]), and where an attribute names the same resource, they only add to
//! its evidence: a load balancer that names three subnets does not need each of them.
//!
//! Secrets are what the state marks as sensitive and copies of it, what names and shapes tell, and a
//! list of attributes known to hold some ([`table::fields::SECRET`]). Of a plan everything but the
//! state before it is left out, because it repeats values without their marks.
//!
//! A batch is complete when no row was refused, because a file that can be read at all was read to
//! its end. Its scope is the lineage; where several files share one, the file as well, by its path
//! below the file or folder that was given. What `terraform show -json` prints has no lineage: it
//! must be named, by the option `lineage`, a scope or a source of its own. Of a state and its
//! backups only the one of the highest serial is read.
//!
//! This crate refuses to read other versions, to run Terraform, to fetch states from backends, and
//! to guess accounts and regions.

mod address;
mod estate;
mod files;
mod flat;
mod identity;
mod instance;
mod links;
mod observe;
mod relate;
mod scopes;
mod sensitive;
pub mod table;

use std::collections::{BTreeMap, HashSet};

use keelson_importer::{Context, EnvelopeError, Importer, Input, Limits, merge, rows};
use keelson_model::{
    Batch, Completeness, Finding, FindingCode, ImporterVersion, Observation, Position, Severity, SourceKey,
};

use address::Mode;
use estate::Estate;
use files::Form;
use instance::{Instance, Reader};
use scopes::Part;
use table::Standing;

pub use relate::ORDER_CONFIDENCE;

/// Reads Terraform states.
///
/// Options: `lineage`, the lineage of the state that `terraform show -json` printed, which does not
/// print it, or any other name that no other state has. Without it such a file is refused, unless a
/// scope or a source of its own tells it from others.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerraformImporter;

impl Importer for TerraformImporter {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn version(&self) -> &'static str {
        "2"
    }

    fn reads(&self) -> &'static str {
        "Terraform states: version 4, and 'terraform show -json' of states and plans"
    }

    fn normalise(&self, input: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
        let parts = scopes::assign(files::read(input)?, context)?;
        let importer = ImporterVersion { name: self.name().to_owned(), version: self.version().to_owned() };
        let read = |part: Part| {
            let batch = Batch::new(&context.source, part.scope.clone(), importer.clone(), context.observed_at);
            read_part(batch, part, &input.limits)
        };
        Ok(parts.into_iter().map(read).collect())
    }
}

/// Reads one state.
fn read_part(mut batch: Batch, part: Part, limits: &Limits) -> Batch {
    let Part { mut document, lineage, mut findings, .. } = part;
    sensitive::reduce(&mut document);
    let secret = sensitive::pointers(&document);
    batch.payloads.push(rows::redacted_payload(&document.file, &mut document.value, &secret, &mut findings));
    batch.findings = findings;
    let file = document.file.as_str();
    let mut reader = Reader::new(file, limits);
    let serial = match document.form {
        Form::State { serial, .. } => {
            reader.take_state(&document.value);
            Some(serial)
        }
        Form::Show | Form::Plan => {
            reader.take_show(&document.value, document.base());
            None
        }
    };
    batch.cursor = serial.map(|serial| serial.to_string());
    batch.findings.append(&mut reader.findings);
    let mut instances = reader.instances;
    instances.sort_by(|a, b| (&a.address, a.deposed).cmp(&(&b.address, b.deposed)));
    let keys = keys(&instances, file, &lineage, &mut batch.findings);
    let estate = Estate::new(instances, keys);
    describe(&mut batch, &estate, file, serial);
    describe_modules(&mut batch, &estate, file, &lineage, serial);
    report_unknown_types(&mut batch, &estate, file);
    relate::Relating::new(&estate, &mut batch, file, &lineage).relate();
    merge::duplicates(&mut batch.observations, &mut batch.findings);
    merge::relationships(&mut batch.relationships);
    merge::report_self_loops(&mut batch);
    rows::keep_within_limits(&mut batch);
    judge_completeness(&mut batch, file);
    report_missing_targets(&mut batch, &estate);
    batch
}

/// The source keys of instances: lineage and address.
fn keys(instances: &[Instance<'_>], file: &str, lineage: &str, findings: &mut Vec<Finding>) -> Vec<Option<SourceKey>> {
    let key = |instance: &Instance<'_>| {
        let deposed = instance.deposed.map(|key| format!(" (deposed {key})")).unwrap_or_default();
        let text = format!("{lineage}/{}{deposed}", instance.address);
        rows::source_key(&text, &Position::pointer(file, &instance.pointer), findings)
    };
    instances.iter().map(key).collect()
}

/// Describes every managed instance.
fn describe(batch: &mut Batch, estate: &Estate<'_>, file: &str, serial: Option<u64>) {
    for (instance, key) in estate.instances.iter().zip(&estate.keys) {
        if let Some(key) = key
            && instance.address.mode == Mode::Managed
        {
            batch.observations.push(observe::observe(instance, key.clone(), file, serial));
        }
    }
}

/// Describes every module that a managed instance is in.
fn describe_modules(batch: &mut Batch, estate: &Estate<'_>, file: &str, lineage: &str, serial: Option<u64>) {
    for (module, first) in estate.modules() {
        let position = Position::pointer(file, &estate.instances[first].pointer);
        let key = format!("{lineage}/{module}");
        let Some(key) = rows::source_key(&key, &position, &mut batch.findings) else { continue };
        let mut observation = Observation::new(key, "module", position);
        observation.name = Some(module.into());
        observation.native_version = serial;
        batch.observations.push(observation);
    }
}

/// Says once for every type that nobody gave it a class. Its resources stay, as what they surely
/// are.
fn report_unknown_types(batch: &mut Batch, estate: &Estate<'_>, file: &str) {
    let mut unknown: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for instance in &estate.instances {
        let kind = instance.address.kind.as_str();
        let (_, standing) = table::class(kind);
        if instance.address.mode == Mode::Managed && standing == Standing::Unknown {
            unknown.entry(kind).or_insert((0, &instance.pointer)).0 += 1;
        }
    }
    for (kind, (count, pointer)) in unknown {
        let class = table::types::OTHERWISE;
        let message =
            format!("the type '{kind}' ({count} in this state) has no class of its own here; it is taken as {class}");
        let finding = Finding::new(FindingCode::UnknownClass, Position::pointer(file, pointer), message);
        batch.findings.push(finding.about(kind).in_field("type").with_severity(Severity::Info));
    }
}

/// Calls the batch complete where nothing speaks against it, and says what does otherwise.
fn judge_completeness(batch: &mut Batch, file: &str) {
    let refused = batch.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if refused == 0 {
        let serial = batch.cursor.as_ref().map(|serial| format!(", serial {serial}")).unwrap_or_default();
        let proof = format!("the whole of {file} was read{serial}");
        batch.completeness = Completeness::Complete { proof };
        return;
    }
    // What a refused row described would look as if it had gone.
    let message = format!("{refused} rows were refused, so nothing is withdrawn by this import");
    batch.findings.push(Finding::new(FindingCode::TruncatedSource, Position::pointer(file, ""), message));
}

/// Reports what is referred to and not in the state. What was looked up is in the state, though
/// nothing here describes it.
fn report_missing_targets(batch: &mut Batch, estate: &Estate<'_>) {
    let pairs = estate.instances.iter().zip(&estate.keys);
    let lookups = pairs.filter(|(instance, _)| instance.address.mode == Mode::Data);
    let lookups: HashSet<&str> = lookups.filter_map(|(_, key)| key.as_ref()).map(SourceKey::as_str).collect();
    let before = batch.findings.len();
    merge::report_missing_targets(std::slice::from_mut(batch));
    let missing = batch.findings.split_off(before);
    let not_looked_up = |finding: &Finding| finding.key.as_deref().is_none_or(|key| !lookups.contains(key));
    batch.findings.extend(missing.into_iter().filter(not_looked_up));
}
