//! The instances of resources in a state, whichever form the state has.

use std::borrow::Cow;

use keelson_importer::Limits;
use keelson_model::{Finding, FindingCode, Position};
use serde_json::{Map, Value as Json};

use crate::address::{self, Address, Mode};
use crate::flat;

/// One instance of a resource.
pub(crate) struct Instance<'a> {
    pub(crate) address: Address,
    /// The provider as written: `provider.aws`, `provider["registry.terraform.io/hashicorp/aws"]`.
    pub(crate) provider: &'a str,
    pub(crate) attributes: Cow<'a, Map<String, Json>>,
    pub(crate) dependencies: Vec<Stated<'a>>,
    /// The key of an object that was replaced and is to be destroyed.
    pub(crate) deposed: Option<&'a str>,
    /// `tainted`, where it is.
    pub(crate) status: Option<&'a str>,
    /// JSON pointer of the instance.
    pub(crate) pointer: String,
    /// JSON pointer of its attributes.
    pub(crate) attributes_at: String,
}

impl Instance<'_> {
    /// A text among the attributes that says something.
    pub(crate) fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).and_then(Json::as_str).filter(|text| !text.trim().is_empty())
    }

    /// What the attributes hold at a JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Json> {
        let (first, rest) = match pointer.strip_prefix('/')?.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (&pointer[1..], None),
        };
        let found = self.attributes.get(first)?;
        match rest {
            Some(rest) => found.pointer(&format!("/{rest}")),
            None => Some(found),
        }
    }
}

/// One row of a list of dependencies.
#[derive(Clone)]
pub(crate) struct Stated<'a> {
    pub(crate) target: &'a Json,
    /// The list it stands in: `dependencies`, `depends_on`.
    pub(crate) field: &'static str,
    pub(crate) pointer: String,
}

/// What was read of a state, and what could not be.
pub(crate) struct Reader<'a> {
    file: &'a str,
    row_bytes: usize,
    nesting: usize,
    pub(crate) instances: Vec<Instance<'a>>,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a str, limits: &Limits) -> Self {
        let (row_bytes, nesting) = (limits.row_bytes, limits.nesting);
        Self { file, row_bytes, nesting, instances: Vec::new(), findings: Vec::new() }
    }

    fn refuse(&mut self, code: FindingCode, pointer: &str, reason: &str) {
        let message = format!("{reason}; it is left out");
        self.findings.push(Finding::new(code, Position::pointer(self.file, pointer), message));
    }

    /// Takes the resources of a state file.
    pub(crate) fn take_state(&mut self, state: &'a Json) {
        for (number, resource) in state.get("resources").and_then(Json::as_array).into_iter().flatten().enumerate() {
            let pointer = format!("/resources/{number}");
            let module = match resource.get("module") {
                None | Some(Json::Null) => Some(Vec::new()),
                Some(module) => module.as_str().and_then(address::modules),
            };
            let Some(modules) = module else {
                self.refuse(FindingCode::MalformedRow, &format!("{pointer}/module"), "this is no address of a module");
                continue;
            };
            let Some(rows) = resource.get("instances").and_then(Json::as_array) else {
                self.refuse(FindingCode::MalformedRow, &pointer, "a resource must have a list of instances");
                continue;
            };
            let Some(block) = self.block(resource, modules, "provider", &pointer) else { continue };
            for (number, row) in rows.iter().enumerate() {
                let pointer = format!("{pointer}/instances/{number}");
                self.take_instance(row, &block, &pointer);
            }
        }
    }

    /// What all instances of a resource have in common.
    fn block(
        &mut self,
        resource: &'a Json,
        modules: Vec<String>,
        provider: &str,
        pointer: &str,
    ) -> Option<(Address, &'a str)> {
        let field = |name: &str| resource.get(name).and_then(Json::as_str).unwrap_or_default();
        let mode = match field("mode") {
            "managed" => Mode::Managed,
            "data" => Mode::Data,
            // Values that only live while Terraform runs.
            "ephemeral" => return None,
            _ => {
                self.refuse(FindingCode::MalformedRow, pointer, "a resource must be of mode 'managed' or 'data'");
                return None;
            }
        };
        let (kind, name) = (field("type"), field("name"));
        if kind.is_empty() || name.is_empty() {
            self.refuse(FindingCode::IdentityMissing, pointer, "the resource has no type or no name");
            return None;
        }
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Some((Address { modules, mode, kind, name, index: String::new() }, field(provider)))
    }

    fn take_instance(&mut self, row: &'a Json, (block, provider): &(Address, &'a str), pointer: &str) {
        let Some(index) = address::index(row.get("index_key")).filter(|_| row.is_object()) else {
            return self.refuse(FindingCode::MalformedRow, pointer, "this is no instance of a resource with a key");
        };
        let (field, attributes) = match (row.get("attributes"), row.get("attributes_flat")) {
            (Some(Json::Object(attributes)), _) => ("attributes", Cow::Borrowed(attributes)),
            (None | Some(Json::Null), Some(Json::Object(flat))) => ("attributes_flat", Cow::Owned(flat::nested(flat))),
            // An object that could not be read back when it was last refreshed.
            (None | Some(Json::Null), None | Some(Json::Null)) => ("attributes", Cow::Owned(Map::new())),
            _ => return self.refuse(FindingCode::MalformedRow, pointer, "the attributes must be an object"),
        };
        let text = |name: &str| row.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let instance = Instance {
            address: Address { index, ..block.clone() },
            provider,
            attributes,
            dependencies: ["dependencies", "depends_on"].iter().flat_map(|field| stated(row, field, pointer)).collect(),
            deposed: text("deposed"),
            status: text("status"),
            pointer: pointer.to_owned(),
            attributes_at: format!("{pointer}/{field}"),
        };
        self.keep(row, instance);
    }

    /// Takes the resources of what `terraform show -json` prints, from all modules.
    pub(crate) fn take_show(&mut self, document: &'a Json, base: &str) {
        let root = format!("{base}/values/root_module");
        let mut open: Vec<(&'a Json, String)> = Vec::new();
        open.extend(document.pointer(&root).map(|module| (module, root)));
        while let Some((module, pointer)) = open.pop() {
            let calls = match module.get("address") {
                None | Some(Json::Null) => Some(Vec::new()),
                Some(address) => address.as_str().and_then(address::modules),
            };
            let Some(calls) = calls else {
                self.refuse(FindingCode::MalformedRow, &format!("{pointer}/address"), "this is no address of a module");
                continue;
            };
            for (number, row) in module.get("resources").and_then(Json::as_array).into_iter().flatten().enumerate() {
                self.take_shown(row, calls.clone(), format!("{pointer}/resources/{number}"));
            }
            let children = module.get("child_modules").and_then(Json::as_array).into_iter().flatten();
            open.extend(
                children.enumerate().map(|(number, child)| (child, format!("{pointer}/child_modules/{number}"))),
            );
        }
    }

    fn take_shown(&mut self, row: &'a Json, modules: Vec<String>, pointer: String) {
        let Some((block, provider)) = self.block(row, modules, "provider_name", &pointer) else { return };
        let attributes = match row.get("values") {
            Some(Json::Object(values)) => Cow::Borrowed(values),
            None | Some(Json::Null) => Cow::Owned(Map::new()),
            Some(_) => return self.refuse(FindingCode::MalformedRow, &pointer, "the values must be an object"),
        };
        let Some(index) = address::index(row.get("index")) else {
            return self.refuse(
                FindingCode::MalformedRow,
                &format!("{pointer}/index"),
                "this is no key of an instance",
            );
        };
        let text = |name: &str| row.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let tainted = row.get("tainted").and_then(Json::as_bool).unwrap_or_default();
        let instance = Instance {
            address: Address { index, ..block },
            provider,
            attributes,
            dependencies: stated(row, &"depends_on", &pointer).collect(),
            deposed: text("deposed_key"),
            status: tainted.then_some("tainted"),
            attributes_at: format!("{pointer}/values"),
            pointer,
        };
        self.keep(row, instance);
    }

    /// Keeps an instance that is within the limits.
    fn keep(&mut self, row: &Json, instance: Instance<'a>) {
        let bytes = row.to_string().len();
        if bytes > self.row_bytes {
            let reason = format!("the instance has {bytes} bytes, but at most {} are read", self.row_bytes);
            return self.refuse(FindingCode::LimitExceeded, &instance.pointer, &reason);
        }
        if is_deeper(row, self.nesting) {
            let reason = format!("the instance is nested more than {} levels deep", self.nesting);
            return self.refuse(FindingCode::LimitExceeded, &instance.pointer, &reason);
        }
        self.instances.push(instance);
    }
}

/// The rows of a list of dependencies.
fn stated<'a>(row: &'a Json, field: &&'static str, pointer: &str) -> impl Iterator<Item = Stated<'a>> {
    let field = *field;
    let rows = row.get(field).and_then(Json::as_array).into_iter().flatten().enumerate();
    rows.map(move |(number, target)| Stated { target, field, pointer: format!("{pointer}/{field}/{number}") })
}

/// Whether a value is nested deeper than a number of levels.
fn is_deeper(value: &Json, levels: usize) -> bool {
    let mut open = vec![(value, 1)];
    while let Some((value, level)) = open.pop() {
        if level > levels && (value.is_array() || value.is_object()) {
            return true;
        }
        match value {
            Json::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Json::Object(fields) => open.extend(fields.values().map(|field| (field, level + 1))),
            _ => {}
        }
    }
    false
}
