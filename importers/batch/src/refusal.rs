//! Why a line is refused, with the field it is about.

use keelson_model::{Finding, FindingCode, Position};
use serde_json::Value as Json;

use crate::line::Line;

/// Why a line cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: FindingCode,
    /// The field as a path with slashes, `need/members/1`.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn malformed(field: &str, message: impl Into<String>) -> Self {
        Self { code: FindingCode::MalformedRow, field: Some(field.to_owned()), message: message.into() }
    }

    pub(crate) fn with_code(mut self, code: FindingCode) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn into_finding(self, position: Position) -> Finding {
        let finding = Finding::new(self.code, position, self.message).with_severity(keelson_model::Severity::Error);
        match self.field {
            Some(field) => finding.in_field(field),
            None => finding,
        }
    }
}

/// Reads a line.
///
/// # Errors
/// Says what is wrong, in which field, and which known field may have been meant.
pub(crate) fn decode(bytes: &[u8]) -> Result<Line, Refusal> {
    let line = serde_json::from_slice(bytes).map_err(|error| explain(bytes, &error))?;
    // serde also takes the fields of a struct in a list, by their order, which nobody means.
    let by_order = match line {
        Line::Withdraw(_) => serde_json::from_slice(bytes).is_ok_and(|line: Json| {
            ["/withdraw", "/withdraw/relationship", "/withdraw/need"]
                .iter()
                .any(|field| line.pointer(field).is_some_and(Json::is_array))
        }),
        // The first colon stands behind the name of the line, which has none in it.
        _ => bytes.split(|byte| *byte == b':').nth(1).is_some_and(|body| body.trim_ascii_start().starts_with(b"[")),
    };
    if by_order {
        let message = "the fields of a line stand in an object by name, not in a list".to_owned();
        return Err(Refusal { code: FindingCode::MalformedRow, field: None, message });
    }
    Ok(line)
}

fn explain(bytes: &[u8], error: &serde_json::Error) -> Refusal {
    let whole = error.to_string();
    let said = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(said, _)| said);
    if let Err(error) = std::str::from_utf8(bytes) {
        let message = format!("the line is not UTF-8 (first bad byte at {})", error.valid_up_to());
        return Refusal { code: FindingCode::MalformedRow, field: None, message };
    }
    if let Some(message) = several_kinds(bytes) {
        return Refusal { code: FindingCode::MalformedRow, field: None, message };
    }
    if !error.is_data() {
        let message = format!("the line is not one JSON object: {said} (column {})", error.column());
        return Refusal { code: FindingCode::MalformedRow, field: None, message };
    }
    let mut path = path_at(bytes, error.column());
    if let Some(message) = bad_time(bytes, &path) {
        return Refusal { code: FindingCode::MalformedRow, field: Some(path.join("/")), message };
    }
    let mut names = said.split('`').skip(1).step_by(2);
    let named = names.next().unwrap_or_default();
    let message = if said.starts_with("unknown field") || said.starts_with("unknown variant") {
        if said.starts_with("unknown field") {
            path.pop();
            path.push(named.to_owned());
        }
        let known: Vec<&str> = names.collect();
        match nearest(named, &known) {
            Some(near) => format!("'{named}' is not known here; did you mean '{near}'?"),
            None => format!("'{named}' is not known here; known are {}", known.join(", ")),
        }
    } else if said.starts_with("missing field") || said.starts_with("duplicate field") {
        path.pop();
        path.push(named.to_owned());
        let fault = if said.starts_with("missing") { "is missing" } else { "is given twice" };
        format!("the field '{named}' {fault}")
    } else {
        said.to_owned()
    };
    let code = if names_nothing(bytes) { FindingCode::NullTarget } else { FindingCode::MalformedRow };
    Refusal { code, field: (!path.is_empty()).then(|| path.join("/")), message }
}

/// What is wrong with a line that says several things at once.
fn several_kinds(bytes: &[u8]) -> Option<String> {
    let Ok(Json::Object(fields)) = serde_json::from_slice(bytes) else { return None };
    let names: Vec<&str> = fields.keys().take(3).map(String::as_str).collect();
    (fields.len() > 1).then(|| {
        let names = names.join("', '");
        format!("the line has {} parts ('{names}'); write each one on a line of its own", fields.len())
    })
}

/// What is wrong with a text that stands where a time belongs.
fn bad_time(bytes: &[u8], path: &[String]) -> Option<String> {
    path.last().filter(|field| TIMES.contains(&field.as_str()))?;
    let line: Json = serde_json::from_slice(bytes).ok()?;
    let given: String = line.pointer(&format!("/{}", path.join("/")))?.as_str()?.chars().take(60).collect();
    Some(format!("'{given}' is not a time; write it with its zone as in RFC 3339, such as 2026-11-01T12:00:00Z"))
}

/// Fields that hold times.
const TIMES: [&str; 2] = ["observed_at", "judged_at"];

/// Whether a relationship or need names `null` or an empty text where it should name a
/// configuration item.
fn names_nothing(bytes: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Json>(bytes) else { return false };
    let nothing = |value: &Json| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    let ends = ["/relationship/dependency", "/relationship/dependent", "/need/dependent"];
    ends.iter().filter_map(|end| value.pointer(end)).any(nothing)
        || value.pointer("/need/members").and_then(Json::as_array).is_some_and(|members| members.iter().any(nothing))
}

enum Frame {
    Object(String),
    Array(usize),
}

/// The field in which a reader stood when it had consumed `column` bytes of a JSON text.
///
/// Walks the text up to there with an explicit stack; the reader has already found it well formed.
fn path_at(bytes: &[u8], column: usize) -> Vec<String> {
    let mut stack: Vec<Frame> = Vec::new();
    let mut expects_key = false;
    let mut at = 0;
    let end = column.saturating_sub(1).min(bytes.len());
    while at < end {
        match bytes[at] {
            b'{' => {
                stack.push(Frame::Object(String::new()));
                expects_key = true;
            }
            b'[' => stack.push(Frame::Array(0)),
            b'}' | b']' => {
                stack.pop();
            }
            b',' => match stack.last_mut() {
                Some(Frame::Object(_)) => expects_key = true,
                Some(Frame::Array(index)) => *index += 1,
                None => {}
            },
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if expects_key && at < bytes.len() {
                    expects_key = false;
                    let key: String = serde_json::from_slice(&bytes[start..=at]).unwrap_or_default();
                    if let Some(Frame::Object(last)) = stack.last_mut() {
                        *last = key;
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    let segment = |frame: Frame| match frame {
        Frame::Object(key) => key,
        Frame::Array(index) => index.to_string(),
    };
    stack.into_iter().map(segment).collect()
}

/// The known name that a misspelt one most likely means.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given: String = given.chars().take(64).collect();
    // Case is the lesser difference: it decides only between names that are otherwise as near.
    let apart = |name: &str| (distance(&given.to_lowercase(), &name.to_lowercase()), distance(&given, name));
    let (far, name) = known.iter().map(|name| (apart(name), *name)).min()?;
    (far.0 <= (given.chars().count() / 3).max(1)).then_some(name)
}

/// Levenshtein's distance: insertions, deletions and replacements from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> (String, String) {
        let refusal = decode(line.as_bytes()).unwrap_err();
        (refusal.field.unwrap_or_default(), refusal.message)
    }

    #[test]
    fn a_refusal_names_the_field() {
        let cases = [
            (r#"{"ci":{"key":"a","clas":"host"}}"#, "ci/clas", "did you mean 'class'?"),
            (r#"{"ci":{"key":"a","zzzzzz":1}}"#, "ci/zzzzzz", "known are key, class"),
            (r#"{"ci":{"key":"a"}}"#, "ci/class", "'class' is missing"),
            (r#"{"ci":{}}"#, "ci/key", "'key' is missing"),
            (r#"{"ci":{"key":"a","key":"b"}}"#, "ci/key", "given twice"),
            (r#"{"ci":{"key":"a","class":"h","native_version":"x"}}"#, "ci/native_version", "u64"),
            (r#"{"ci":{"key":" a","class":"h"}}"#, "ci/key", "white space"),
            (r#"{"ci":{"key":"","class":"h"}}"#, "ci/key", "must not be empty"),
            (r#"{"ci":{"key":"a","class":"h","lifecycle":"liv"}}"#, "ci/lifecycle", "did you mean 'live'?"),
            (r#"{"ci":{"key":"a","class":"h","attributes":{"x":1,"x":2}}}"#, "ci/attributes/x", "given twice"),
            (r#"{"ci":{"key":"a","class":"h","attributes":[]}}"#, "ci/attributes", "attributes by name"),
            (r#"{"need":{"dependent":"a","name":"n","members":["b",null]}}"#, "need/members/1", "null"),
            (r#"{"need":{"dependent":"a","name":"n","members":["b"],"k":-1}}"#, "need/k", "-1"),
            (r#"{"need":{"dependent":"a","name":"n","members":["b"],"rule":"atleast"}}"#, "need/rule", "'at_least'"),
            (r#"{"cis":{}}"#, "", "did you mean 'ci'?"),
            (r#"{"ci":{"key":"a","class":"h"},"ci":{}}"#, "", ""),
            ("{}", "", ""),
            ("[]", "", ""),
            ("12", "", ""),
            (r#"{"ci":"#, "", "not one JSON object"),
            (r#"{"ci":{"key":"a","class":"h"},"need":{}}"#, "", "('ci', 'need'); write each one on a line of its own"),
            (
                r#"{"batch":{"format":"keelson/1","source":"s","observed_at":"01.11.2026"}}"#,
                "batch/observed_at",
                "'01.11.2026' is not a time; write it with its zone as in RFC 3339, such as 2026-11-01T12:00:00Z",
            ),
            ("nonsense", "", "not one JSON object"),
            (r#"{"ci":{"key":"a","class":"h"}} x"#, "", "not one JSON object"),
        ];
        for (line, field, part) in cases {
            let (found, message) = refused(line);
            if !field.is_empty() {
                assert_eq!(found, field, "{line}: {message}");
            }
            assert!(message.contains(part), "{line}: {message}");
        }
        assert!(decode(b"{\"ci\":{\"key\":\"\xff\"}}").unwrap_err().message.contains("UTF-8"));
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("Member", &["members", "name"]), Some("members"));
        assert_eq!(nearest("GIB", &["GB", "MiB", "GiB"]), Some("GiB"));
        assert_eq!(nearest("xyz", &["members", "name"]), None);
    }
}
