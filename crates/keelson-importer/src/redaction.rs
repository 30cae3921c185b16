//! Secrets never enter: which names and values are secret, and taking them out.

/// Whether an attribute of this name is to be left out: it contains `password`, `passwd`, `secret`,
/// `token`, `api_key`, `access_key`, `private_key`, `credential`, `connection_string`, or both
/// `auth` and `key`, in any case or separator style, and is not on the list of harmless names.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let _ = name;
    todo!("implemented next")
}

/// Whether a text is shaped like a PEM private key, a cloud access key, a signed URL or a bearer
/// token.
#[must_use]
pub fn is_secret_value(text: &str) -> bool {
    let _ = text;
    todo!("implemented next")
}

/// Takes secrets out of a JSON value in place: by name, by shape, and at the pointers given.
/// Returns the JSON pointers of what was taken out; each such value is `null` afterwards.
pub fn redact(value: &mut serde_json::Value, also: &[String]) -> Vec<String> {
    let _ = (value, also);
    todo!("implemented next")
}
