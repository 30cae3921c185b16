//! The conformance kit: what every importer's tests check.
//!
//! [`assert_conforms`] runs an importer and checks the rules that hold for all of them;
//! [`inventories`] finds the shared example data; the rest counts what batches say, so that a test
//! can hold it against the tables of the design. For tests only: it panics where a rule is broken.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use keelson_model::{Batch, CiRef, FindingCode, Payload, Schema};

use crate::{Context, Importer, Input, Limits};

/// What is checked beyond the rules that always hold.
#[derive(Clone, Debug, Default)]
pub struct Expectations<'a> {
    /// Texts that must not appear anywhere: the dummy secrets of the example data.
    pub secrets: &'a [&'a str],
    /// Classes and kinds that may be used; the built-in ones when absent.
    pub schema: Option<&'a Schema>,
}

/// The folder or file of the shared example inventories, for example `terraform/state-fleet`.
/// Prints a line and gives nothing where it is not there, so that the test can pass over it.
#[must_use]
pub fn inventories(name: &str) -> Option<PathBuf> {
    shared(&format!("data/inventories/{name}"))
}

/// A file or folder of the shared data beside the project, for example `data/acceptance`.
/// Prints a line and gives nothing where it is not there.
#[must_use]
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("passed over: there is no {}", path.display());
    None
}

/// The files under a path, as an import would read them.
///
/// # Panics
/// Panics when they cannot be listed.
#[must_use]
pub fn input(path: &Path) -> Input {
    match Input::from_paths(&[path.to_owned()], Limits::default()) {
        Ok(input) => input,
        Err(error) => panic!("{error}"),
    }
}

/// What a test says about an import: a source, nothing vouched for, a fixed time.
#[must_use]
pub fn context(source: &str) -> Context {
    Context {
        source: source.to_owned(),
        scope: None,
        complete: false,
        observed_at: chrono::DateTime::UNIX_EPOCH,
        options: BTreeMap::new(),
    }
}

/// Runs an importer twice and checks what must hold for every importer: the same batches both
/// times; no secret in them; a position on every observation, relationship, need and removal;
/// known classes and kinds; keys listed once; meaningful needs; payloads true to their digests.
///
/// # Panics
/// Panics with everything that does not hold.
#[must_use]
pub fn assert_conforms(
    importer: &dyn Importer,
    input: &Input,
    context: &Context,
    expectations: &Expectations<'_>,
) -> Vec<Batch> {
    let read = || match importer.normalise(input, context) {
        Ok(batches) => batches,
        Err(error) => panic!("{}: {error}", importer.name()),
    };
    let batches = read();
    let again = read();
    let mut broken = Vec::new();
    if fingerprint(&batches) != fingerprint(&again) {
        broken.push("reading the same files again gave other batches".to_owned());
    }
    drop(again);
    broken.extend(violations(&batches, expectations));
    for batch in &batches {
        if (batch.importer.name.as_str(), batch.importer.version.as_str()) != (importer.name(), importer.version()) {
            broken.push(format!("a batch names {:?} as its importer", batch.importer));
        }
    }
    assert!(broken.is_empty(), "{} breaks rules:\n{}", importer.name(), broken.join("\n"));
    batches
}

fn fingerprint(batches: &[Batch]) -> Vec<(String, String)> {
    batches.iter().map(|batch| (batch.digest(), format!("{batch:?}"))).collect()
}

/// Everything in these batches that breaks a rule, in words.
///
/// # Panics
/// Panics when the built-in schema cannot be built.
#[must_use]
pub fn violations(batches: &[Batch], expectations: &Expectations<'_>) -> Vec<String> {
    let built_in;
    let schema = match expectations.schema {
        Some(schema) => schema,
        None => {
            built_in = keelson_model::builtin::schema([]).unwrap_or_else(|errors| panic!("{errors:?}"));
            &built_in
        }
    };
    let mut broken = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        let found = secrets(batch, expectations.secrets)
            .into_iter()
            .chain(without_position(batch))
            .chain(unknown_names(batch, schema))
            .chain(twice(batch))
            .chain(meaningless(batch));
        broken.extend(found.map(|what| format!("batch {} ({}): {what}", number + 1, batch.scope)));
    }
    broken
}

fn secrets(batch: &Batch, markers: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    for payload in &batch.payloads {
        texts.push((payload.name.clone(), String::from_utf8_lossy(&payload.content).into_owned()));
    }
    // The content of payloads prints as numbers, so it is looked at above and left out here.
    let mut said = batch.clone();
    said.payloads.clear();
    texts.push(("the batch".to_owned(), format!("{said:?}")));
    let mut found = Vec::new();
    for marker in markers {
        for (place, text) in &texts {
            if text.contains(marker) {
                found.push(format!("the secret '{marker}' is in {place}"));
            }
        }
    }
    found
}

fn without_position(batch: &Batch) -> Vec<String> {
    let observations = batch.observations.iter().map(|o| (&o.position, o.source_key.to_string()));
    let relationships = batch
        .relationships
        .iter()
        .map(|r| (&r.position, format!("{} {} {}", r.dependent.as_str(), r.kind, r.dependency.as_str())));
    let needs = batch.needs.iter().map(|n| (&n.position, format!("need '{}' of {}", n.name, n.dependent.as_str())));
    let removals = batch.removals.iter().map(|r| (&r.position, format!("removal of {:?}", r.target)));
    let all = observations.chain(relationships).chain(needs).chain(removals);
    all.filter(|(position, _)| position.is_empty()).map(|(_, what)| format!("{what} has no position")).collect()
}

fn unknown_names(batch: &Batch, schema: &Schema) -> Vec<String> {
    let mut unknown = Vec::new();
    let of_ends = batch.relationships.iter().flat_map(|r| [&r.dependent, &r.dependency]);
    let of_needs = batch.needs.iter().flat_map(|n| n.members.iter().map(|m| &m.ci).chain([&n.dependent]));
    let of_refs = of_ends.chain(of_needs).filter_map(|ci| match ci {
        CiRef::Source { class, .. } => class.as_ref(),
        CiRef::Catalogue(_) => None,
    });
    let classes: HashSet<_> = batch.observations.iter().map(|o| &o.class).chain(of_refs).collect();
    unknown.extend(classes.into_iter().filter(|c| schema.classes.get(c).is_none()).map(|c| format!("no class '{c}'")));
    let of_needs = batch.needs.iter().map(|n| &n.kind);
    let kinds: HashSet<_> = batch.relationships.iter().map(|r| &r.kind).chain(of_needs).collect();
    unknown.extend(kinds.into_iter().filter(|k| schema.kinds.get(k).is_none()).map(|k| format!("no kind '{k}'")));
    unknown.sort();
    unknown
}

fn twice(batch: &Batch) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for observation in &batch.observations {
        if !seen.insert(observation.source_key.as_str()) {
            found.push(format!("'{}' is observed twice (see merge::duplicates)", observation.source_key));
        }
    }
    let mut seen = HashSet::new();
    for r in &batch.relationships {
        let identity = (r.kind.as_str(), r.dependent.as_str(), r.dependency.as_str());
        if !seen.insert(identity) {
            found.push(format!("{identity:?} is stated twice (see merge::relationships)"));
        }
    }
    let mut seen = HashSet::new();
    for need in &batch.needs {
        if !seen.insert((need.dependent.as_str(), &*need.name)) {
            found.push(format!("the need '{}' of {} is stated twice", need.name, need.dependent.as_str()));
        }
    }
    found
}

fn meaningless(batch: &Batch) -> Vec<String> {
    let mut found = Vec::new();
    for need in &batch.needs {
        let about = |what: String| format!("the need '{}' of {}: {what}", need.name, need.dependent.as_str());
        let distinct: HashSet<_> = need.members.iter().map(|member| member.ci.as_str()).collect();
        if distinct.len() != need.members.len() {
            found.push(about("a member is listed twice".to_owned()));
        }
        let rule = need.rule.as_ref().unwrap_or(&keelson_model::Rule::All);
        found.extend(rule.check(distinct.len()).err().map(|error| about(error.to_string())));
    }
    for observation in &batch.observations {
        if ["", "null", "none", "nil", "undefined"].contains(&observation.source_key.to_ascii_lowercase().as_str()) {
            found.push(format!("a configuration item is called '{}'", observation.source_key));
        }
    }
    for payload in &batch.payloads {
        let again = Payload::new(&payload.name, &payload.media_type, payload.content.clone());
        if !payload.content.is_empty() && again.digest != payload.digest {
            found.push(format!("the payload {} has another digest than it says", payload.name));
        }
    }
    found
}

/// Number of observations in all batches.
#[must_use]
pub fn observations(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.observations.len()).sum()
}

/// Number of different source keys observed in all batches.
#[must_use]
pub fn distinct_keys(batches: &[Batch]) -> usize {
    batches.iter().flat_map(|batch| &batch.observations).map(|o| &o.source_key).collect::<HashSet<_>>().len()
}

/// Number of relationships in all batches.
#[must_use]
pub fn relationships(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.relationships.len()).sum()
}

/// Number of observations of each class.
#[must_use]
pub fn by_class(batches: &[Batch]) -> BTreeMap<String, usize> {
    count(batches.iter().flat_map(|batch| &batch.observations).map(|o| o.class.to_string()))
}

/// Number of relationships of each kind.
#[must_use]
pub fn by_kind(batches: &[Batch]) -> BTreeMap<String, usize> {
    count(batches.iter().flat_map(|batch| &batch.relationships).map(|r| r.kind.to_string()))
}

/// Number of findings of each code, by the code's written form.
#[must_use]
pub fn by_code(batches: &[Batch]) -> BTreeMap<String, usize> {
    count(batches.iter().flat_map(|batch| &batch.findings).map(|finding| finding.code.to_string()))
}

/// Number of findings of one code.
#[must_use]
pub fn findings(batches: &[Batch], code: FindingCode) -> usize {
    batches.iter().flat_map(|batch| &batch.findings).filter(|finding| finding.code == code).count()
}

/// The relationships as `dependent kind dependency`, sorted: easy to read in a test.
#[must_use]
pub fn spelled_out(batches: &[Batch]) -> Vec<String> {
    let all = batches.iter().flat_map(|batch| &batch.relationships);
    let mut lines: Vec<_> =
        all.map(|r| format!("{} {} {}", r.dependent.as_str(), r.kind, r.dependency.as_str())).collect();
    lines.sort();
    lines
}

/// The configuration items that are referred to and that no batch describes.
#[must_use]
pub fn missing(batches: &[Batch]) -> Vec<String> {
    let known: HashSet<&str> = batches
        .iter()
        .flat_map(|batch| &batch.observations)
        .flat_map(|o| [Some(o.source_key.as_str()), o.key.as_deref()])
        .flatten()
        .collect();
    let of_relationships =
        batches.iter().flat_map(|batch| &batch.relationships).flat_map(|r| [&r.dependent, &r.dependency]);
    let of_needs = batches
        .iter()
        .flat_map(|batch| &batch.needs)
        .flat_map(|need| need.members.iter().map(|member| &member.ci).chain([&need.dependent]));
    let mut missing: Vec<_> = of_relationships
        .chain(of_needs)
        .map(|ci| ci.as_str().to_owned())
        .filter(|key| !known.contains(key.as_str()))
        .collect();
    missing.sort();
    missing.dedup();
    missing
}

fn count(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use keelson_model::{ImporterVersion, Observation, Position, RelationshipObservation, Scope, SourceKey};

    use super::*;
    use crate::EnvelopeError;

    /// Observes one host and its site; what it does wrong is asked for by an option.
    struct Example;

    impl Importer for Example {
        fn name(&self) -> &'static str {
            "example"
        }

        fn version(&self) -> &'static str {
            "1"
        }

        fn reads(&self) -> &'static str {
            "nothing"
        }

        fn normalise(&self, _: &Input, context: &Context) -> Result<Vec<Batch>, EnvelopeError> {
            let wrong = context.options.get("wrong").map_or("", String::as_str);
            let importer = ImporterVersion { name: self.name().to_owned(), version: self.version().to_owned() };
            let mut batch = Batch::new("s", Scope::named("all"), importer, context.observed_at);
            let key = |text: &str| SourceKey::new(text).unwrap();
            let at = if wrong == "position" { Position::default() } else { Position::line("f", 1) };
            let class = if wrong == "class" { "wombat" } else { "host" };
            let kind = if wrong == "kind" { "likes" } else { "located_in" };
            batch.observations.push(Observation::new(key("a"), class, at.clone()).with("note", "marker"));
            let (a, b) = (CiRef::source(key("a")), CiRef::of_class(key("b"), "site"));
            batch.relationships.push(RelationshipObservation::new(kind, a, b, at));
            if wrong == "twice" {
                batch.observations.push(batch.observations[0].clone());
            }
            batch.payloads.push(Payload::new("f", "text/plain", b"secret-in-payload".to_vec()));
            Ok(vec![batch])
        }
    }

    #[test]
    fn broken_rules_are_found() {
        let input = Input::from_files(Vec::new());
        let wrong = |what: &str, secrets: &[&str]| {
            let mut context = context("s");
            context.options.insert("wrong".to_owned(), what.to_owned());
            let batches = Example.normalise(&input, &context).unwrap();
            violations(&batches, &Expectations { secrets, schema: None }).len()
        };
        assert_eq!(wrong("", &["absent"]), 0);
        assert_eq!(wrong("", &["marker"]), 1);
        assert_eq!(wrong("", &["secret-in-payload"]), 1);
        assert_eq!(wrong("position", &[]), 2);
        assert_eq!(wrong("class", &[]), 1);
        assert_eq!(wrong("kind", &[]), 1);
        assert_eq!(wrong("twice", &[]), 1);
    }

    #[test]
    fn batches_are_counted() {
        let input = Input::from_files(Vec::new());
        let batches = assert_conforms(&Example, &input, &context("s"), &Expectations::default());
        assert_eq!((observations(&batches), distinct_keys(&batches), relationships(&batches)), (1, 1, 1));
        assert_eq!(by_class(&batches), BTreeMap::from([("host".to_owned(), 1)]));
        assert_eq!(by_kind(&batches), BTreeMap::from([("located_in".to_owned(), 1)]));
        assert_eq!(spelled_out(&batches), ["a located_in b"]);
        assert_eq!(missing(&batches), ["b"]);
        assert!(by_code(&batches).is_empty());
    }
}
