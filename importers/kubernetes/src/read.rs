//! From files to objects without secrets, and the payloads that are kept of them.

use std::collections::HashSet;

use keelson_importer::{EnvelopeError, Input, rows};
use keelson_model::{Finding, FindingCode, Payload, Position, Severity};
use serde_json::{Value as Json, json};

use crate::address::Services;
use crate::files::{self, File, Files, Form, Part, Place};
use crate::object::{Header, Object, Refusal, group_of};
use crate::table;

/// Fields of a list that are kept in the payload.
const LIST_FIELDS: &[&str] = &["apiVersion", "items", "kind", "metadata"];

/// The cluster the objects are of.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// What its objects' keys begin with: the name the caller gives it, else its uid.
    pub(crate) key: String,
    /// The uid of its namespace `kube-system`.
    pub(crate) uid: Option<String>,
    /// Where that is told.
    pub(crate) position: Position,
}

/// What one list says of itself.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) form: Form,
    /// Group and kind of its items, for a list of one kind.
    pub(crate) kind: Option<Header>,
    pub(crate) version: Option<String>,
    /// Where it says that more follows.
    pub(crate) continued: Option<Position>,
    /// Whether nothing can be missing behind what was read.
    pub(crate) ended: bool,
    /// Whether it is one object that was seen in a cluster.
    pub(crate) live_object: bool,
    /// Number of rows.
    pub(crate) rows: usize,
}

/// Everything that was read.
pub(crate) struct Reading {
    pub(crate) cluster: Cluster,
    /// The namespace of objects that state none.
    pub(crate) namespace: String,
    pub(crate) objects: Vec<Object>,
    pub(crate) services: Services,
    pub(crate) lists: Vec<List>,
    pub(crate) payloads: Vec<Payload>,
    /// Findings about an object carry its kind, as lists name it.
    pub(crate) findings: Vec<(Option<Header>, Finding)>,
    pub(crate) understood: bool,
    /// Kinds without a class, each of which is reported once.
    unknown: HashSet<String>,
}

/// The version and kind a list gives to its items.
fn of_list(part: &Part) -> Option<(String, String)> {
    let text = |name: &str| part.value.get(name).and_then(Json::as_str);
    let kind = text("kind")?.strip_suffix("List").filter(|kind| !kind.is_empty())?;
    (part.form != Form::Object && part.form != Form::Foreign)
        .then(|| (text("apiVersion").unwrap_or("").to_owned(), kind.to_owned()))
}

/// Reads all files.
pub(crate) fn read(input: &Input, cluster: Option<&str>, namespace: &str) -> Result<Reading, EnvelopeError> {
    let Files { mut files, findings, understood } = files::read(input)?;
    if files.iter().flat_map(|file| &file.parts).all(|part| part.form == Form::Foreign) {
        let expected = "a list or manifest of Kubernetes (a document with apiVersion and kind)".to_owned();
        return Err(EnvelopeError::NothingToRead { files: input.files.len(), expected });
    }
    let (cluster, services) = survey(&mut files, cluster, namespace)?;
    let mut reading = Reading {
        cluster,
        namespace: namespace.to_owned(),
        objects: Vec::new(),
        services,
        lists: Vec::new(),
        payloads: Vec::new(),
        findings: findings.into_iter().map(|finding| (None, finding)).collect(),
        understood,
        unknown: HashSet::new(),
    };
    for mut file in files {
        reading.take_file(&mut file, input);
    }
    Ok(reading)
}

/// Looks through the objects for what the others are read by: the cluster and the Services.
fn survey(files: &mut [File], named: Option<&str>, namespace: &str) -> Result<(Cluster, Services), EnvelopeError> {
    let mut services = Services::default();
    let mut system: Option<(String, Place)> = None;
    for part in files.iter_mut().flat_map(|file| &mut file.parts) {
        let list = of_list(part);
        for (place, item) in files::items(part) {
            let list = list.as_ref().map(|(version, kind)| (version.as_str(), kind.as_str()));
            let Ok(header) = Header::read(item, list, namespace) else { continue };
            let Some(row) = header.row() else { continue };
            match (row.name, header.uid) {
                ("Service", _) => services.add(header.namespace.as_deref().unwrap_or(namespace), &header.name),
                ("Namespace", Some(uid)) if header.name == "kube-system" => match &system {
                    Some((known, first)) if *known != uid => {
                        let reason = format!(
                            "it is of another cluster than {}: the namespace kube-system has another uid; import each \
                             cluster by itself",
                            first.file
                        );
                        return Err(EnvelopeError::Unreadable { file: place.file.to_string(), line: None, reason });
                    }
                    Some(_) => {}
                    None => system = Some((uid, place)),
                },
                _ => {}
            }
        }
    }
    let Some(key) = named.map(str::to_owned).or_else(|| system.as_ref().map(|(uid, _)| uid.clone())) else {
        let reason = "nothing here says which cluster it is, because the namespace kube-system, whose uid would, is \
                      not among the objects; name the cluster"
            .to_owned();
        return Err(EnvelopeError::Option { option: "cluster".to_owned(), reason });
    };
    let first = files.iter().flat_map(|file| &file.parts).find(|part| part.form != Form::Foreign);
    let position = system.as_ref().map(|(_, place)| place.at("/metadata/uid")).or(first.map(|part| part.place.at("")));
    let uid = system.map(|(uid, _)| uid);
    Ok((Cluster { key, uid, position: position.unwrap_or_default() }, services))
}

impl Reading {
    fn take_file(&mut self, file: &mut File, input: &Input) {
        let mut found = Vec::new();
        for part in &mut file.parts {
            if part.form == Form::Foreign {
                part.value = json!({"passed_over": true});
                continue;
            }
            let list = of_list(part);
            self.note_list(part, list.as_ref(), file.ended);
            if let (Json::Object(fields), true) = (&mut part.value, part.form != Form::Object) {
                fields.retain(|name, _| LIST_FIELDS.contains(&name.as_str()));
            }
            let bare = part.value.is_array();
            for (place, item) in files::items(part) {
                // A bare array of a bundle holds whatever its collector found.
                if bare && item.get("kind").is_none() {
                    *item = json!({"passed_over": true});
                    continue;
                }
                let list = list.as_ref().map(|(version, kind)| (version.as_str(), kind.as_str()));
                found.extend(self.take(item, &place, list, input));
            }
        }
        self.payloads.push(payload(file));
        // The payload holds the objects already, so that they can move on.
        let mut values =
            file.parts.iter_mut().flat_map(files::items).map(|(place, item)| (place, std::mem::take(item)));
        for (header, base, number) in found {
            let own = |(place, _): &(Place, Json)| place.base == base && place.at("").document == number;
            let Some((place, value)) = values.by_ref().find(own) else { break };
            self.add(header, place, value);
        }
    }

    /// Notes what a list says of itself.
    fn note_list(&mut self, part: &Part, of: Option<&(String, String)>, ended: bool) {
        let metadata = |pointer: &str| part.value.pointer(pointer).filter(|value| !value.is_null());
        let text = |pointer: &str| metadata(pointer).and_then(Json::as_str).filter(|text| !text.is_empty());
        let is_list = !matches!(part.form, Form::Object);
        let more = ["/metadata/continue", "/metadata/remainingItemCount"]
            .into_iter()
            .find(|pointer| is_list && metadata(pointer).is_some_and(|value| value.as_str() != Some("")));
        let items = if part.value.is_array() { Some(&part.value) } else { part.value.get("items") };
        self.lists.push(List {
            form: part.form,
            kind: of.map(|(version, kind)| Header::new(group_of(version), kind, None, "", "")),
            version: text("/metadata/resourceVersion").map(str::to_owned),
            continued: more.map(|pointer| part.place.at(pointer)),
            ended,
            live_object: !is_list && metadata("/metadata/uid").is_some(),
            rows: items.and_then(Json::as_array).map_or(0, Vec::len),
        });
    }

    /// Takes secrets out of one object in place. Gives its header and where it stands when it is
    /// to be looked at further.
    fn take(
        &mut self,
        item: &mut Json,
        place: &Place,
        list: Option<(&str, &str)>,
        input: &Input,
    ) -> Option<(Header, String, Option<u32>)> {
        let read = Header::read(item, list, &self.namespace).and_then(|header| {
            within_limits(item, input)?;
            Ok(header)
        });
        let header = match read {
            Ok(header) => header,
            Err(Refusal { code, pointer, reason }) => {
                let of = list.map(|(version, kind)| Header::new(group_of(version), kind, None, "", ""));
                let finding = Finding::new(code, place.at(pointer), format!("{reason}; it is left out"));
                self.findings.push((of, finding));
                *item = json!({"refused": reason});
                return None;
            }
        };
        if table::is_left_out(&header.group, &header.kind) {
            if header.kind.ends_with("Secret") {
                let finding = Finding::new(FindingCode::Redacted, place.at(""), "a Secret was left out");
                self.findings.push((Some(header.clone()), finding));
            }
            *item = json!({"left_out": header.kind_in_group()});
            return None;
        }
        let namespace = header.namespace.as_deref().unwrap_or(&self.namespace);
        for pointer in crate::secret::take_out(item, &header.kind, namespace, &self.services) {
            let finding = Finding::new(FindingCode::Redacted, place.at(&pointer), "a secret was left out");
            self.findings.push((Some(header.clone()), finding));
        }
        let unknown = header.class().is_none() && !table::PASSED_OVER.contains(&header.kind.as_str());
        if unknown && self.unknown.insert(header.kind_in_group()) {
            let message =
                format!("the kind '{}' has no class here; objects of it are passed over", header.kind_in_group());
            let finding = Finding::new(FindingCode::UnknownClass, place.at("/kind"), message);
            self.findings.push((Some(header.clone()), finding.with_severity(Severity::Info)));
        }
        Some((header, place.base.clone(), place.at("").document))
    }

    fn add(&mut self, header: Header, place: Place, value: Json) {
        let mut trouble = Vec::new();
        let key = rows::source_key(&header.key(&self.cluster.key), &place.at("/metadata/name"), &mut trouble);
        self.findings.extend(trouble.into_iter().map(|finding| (Some(header.clone()), finding)));
        if let Some(key) = key {
            self.objects.push(Object { header, key, place, value });
        }
    }
}

/// Whether an object is within the limits of size and nesting.
fn within_limits(item: &Json, input: &Input) -> Result<(), Refusal> {
    let refuse = |reason| Err(Refusal { code: FindingCode::LimitExceeded, pointer: "", reason });
    let (bytes, limit) = (item.to_string().len(), input.limits.row_bytes);
    if bytes > limit {
        return refuse(format!("the object has {bytes} bytes, but at most {limit} are read"));
    }
    let mut open = vec![(item, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > input.limits.nesting && (value.is_array() || value.is_object()) {
            return refuse(format!("the object is nested deeper than {} levels", input.limits.nesting));
        }
        match value {
            Json::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Json::Object(fields) => open.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

/// What is kept of a file.
fn payload(file: &File) -> Payload {
    let content = match file.parts.as_slice() {
        [part] => part.value.to_string(),
        parts => {
            let values: Vec<_> = parts.iter().map(|part| part.value.to_string()).collect();
            format!("[{}]", values.join(","))
        }
    };
    Payload::new(&file.name, "application/json", content.into_bytes())
}
