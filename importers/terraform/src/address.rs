//! Addresses of resources: `module.a["k"].aws_instance.web[0]`.

use std::fmt;

use serde_json::Value as Json;

/// Whether Terraform manages a resource or only looked it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Managed,
    Data,
}

/// The address of one instance of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// The calls of modules around it, outermost first, as written: `a["k"]`.
    pub(crate) modules: Vec<String>,
    pub(crate) mode: Mode,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The key among the instances of the resource, as written: `[0]`, `["blue"]`.
    pub(crate) index: String,
}

impl Address {
    /// The address without any key: how dependencies name it.
    pub(crate) fn configured(&self) -> String {
        let mut text = module_address(self.modules.iter().map(|module| without_key(module)));
        if !text.is_empty() {
            text.push('.');
        }
        if self.mode == Mode::Data {
            text.push_str("data.");
        }
        format!("{text}{}.{}", self.kind, self.name)
    }

    /// The address of the module it is in; empty for the root module.
    pub(crate) fn module(&self) -> String {
        module_address(self.modules.iter().map(String::as_str))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for module in &self.modules {
            write!(f, "module.{module}.")?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}{}", self.kind, self.name, self.index)
    }
}

/// The address of a module by the calls around it.
pub(crate) fn module_address<'a>(modules: impl Iterator<Item = &'a str>) -> String {
    modules.map(|module| format!("module.{module}")).collect::<Vec<_>>().join(".")
}

/// The calls in the address of a module; nothing where it is none.
pub(crate) fn modules(address: &str) -> Option<Vec<String>> {
    if address.is_empty() {
        return Some(Vec::new());
    }
    let segments = segments(address);
    let (calls, odd) = segments.as_chunks::<2>();
    let named = |call: &[&str; 2]| call[0] == "module" && !without_key(call[1]).is_empty();
    if !odd.is_empty() || !calls.iter().all(named) {
        return None;
    }
    Some(calls.iter().map(|call| call[1].to_owned()).collect())
}

/// What an address in a list of dependencies means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The address without any key.
    pub(crate) configured: String,
    /// The names of the calls of modules in it.
    pub(crate) modules: Vec<String>,
    /// The type of the resource.
    pub(crate) kind: String,
    /// The name of the resource.
    pub(crate) name: String,
}

/// Reads an address in a list of dependencies; keys in it are left out, and so is anything behind
/// the name of the resource. Nothing where it is no address of a resource.
pub(crate) fn reference(text: &str) -> Option<Reference> {
    let mut rest: &[&str] = &segments(text);
    let mut modules = Vec::new();
    while let ["module", call, behind @ ..] = rest {
        modules.push(without_key(call).to_owned());
        rest = behind;
    }
    let (mode, rest) = match rest {
        ["data", behind @ ..] => (Mode::Data, behind),
        rest => (Mode::Managed, rest),
    };
    let [kind, name, ..] = rest else { return None };
    let (kind, name) = (without_key(kind).to_owned(), without_key(name).to_owned());
    if kind.is_empty() || name.is_empty() || modules.iter().any(String::is_empty) {
        return None;
    }
    let address =
        Address { modules: modules.clone(), mode, kind: kind.clone(), name: name.clone(), index: String::new() };
    Some(Reference { configured: address.configured(), modules, kind, name })
}

/// A key among instances as it is written in an address; nothing where it is none.
pub(crate) fn index(key: Option<&Json>) -> Option<String> {
    match key {
        None | Some(Json::Null) => Some(String::new()),
        Some(key @ (Json::String(_) | Json::Number(_))) => Some(format!("[{key}]")),
        Some(_) => None,
    }
}

/// A name without the key behind it: `a["k"]` is `a`.
pub(crate) fn without_key(segment: &str) -> &str {
    segment.split_once('[').map_or(segment, |(name, _)| name)
}

/// The parts of an address between its dots; dots inside keys separate nothing.
fn segments(address: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for (at, character) in address.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                segments.push(&address[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    segments.push(&address[start..]);
    segments
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_written_as_terraform_does() {
        let address = Address {
            modules: modules(r#"module.a["x.y[0]\"]"].module.b[1]"#).unwrap(),
            mode: Mode::Managed,
            kind: "aws_instance".into(),
            name: "web".into(),
            index: index(Some(&json!("blue.1"))).unwrap(),
        };
        assert_eq!(address.to_string(), r#"module.a["x.y[0]\"]"].module.b[1].aws_instance.web["blue.1"]"#);
        assert_eq!(address.configured(), "module.a.module.b.aws_instance.web");
        assert_eq!(address.module(), r#"module.a["x.y[0]\"]"].module.b[1]"#);
        assert_eq!(index(Some(&json!(3))).unwrap(), "[3]");
        assert_eq!(index(None).unwrap(), "");
        assert_eq!(index(Some(&json!([1]))), None);
        assert_eq!(modules("").unwrap(), Vec::<String>::new());
        for bad in ["module", "a.b", "module.", "module.a.module", "module.[0]"] {
            assert_eq!(modules(bad), None, "{bad}");
        }
    }

    #[test]
    fn dependencies_are_read_without_keys() {
        let read = |text: &str| reference(text).map(|reference| reference.configured);
        assert_eq!(read("aws_vpc.main").as_deref(), Some("aws_vpc.main"));
        assert_eq!(read("aws_vpc.main[0]").as_deref(), Some("aws_vpc.main"));
        assert_eq!(read(r#"module.a["k.l"].data.aws_ami.x[1].id"#).as_deref(), Some("module.a.data.aws_ami.x"));
        for bad in ["", "aws_vpc", "module.a", "module.a.x", "data.aws_ami", ".x", "x.", "module..a.b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
