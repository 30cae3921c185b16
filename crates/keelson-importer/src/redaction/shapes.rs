//! Texts that are secret whatever they are called, recognised by their shape.

/// Whether a text is shaped like a PEM private key, a cloud access key, a signed URL or a bearer
/// token; also an address with a password in it and a connection string with a key.
#[must_use]
pub fn is_secret_value(text: &str) -> bool {
    // No shape below is shorter; most attribute values are.
    if text.len() < 9 {
        return false;
    }
    is_private_key(text)
        || is_access_key(text)
        || is_token(text)
        || is_signed_url(text)
        || is_address_with_password(text)
        || is_connection_string(text)
}

/// `-----BEGIN … PRIVATE KEY-----`, RFC 7468, with whatever stands around it.
fn is_private_key(text: &str) -> bool {
    text.match_indices("-----BEGIN ").any(|(at, begin)| {
        let label = &text[at + begin.len()..];
        label.find("-----").is_some_and(|end| label[..end].contains("PRIVATE KEY"))
    })
}

/// Prefixes of keys that providers hand out, with the fewest characters that follow.
const KEY_PREFIXES: &[(&str, usize)] = &[
    ("AIza", 35),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("sk_live_", 16),
    ("npm_", 36),
    ("dop_v1_", 40),
    ("hvs.", 24),
];

fn is_access_key(text: &str) -> bool {
    let aws = ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|prefix| {
        words(text, prefix).any(|behind| run(behind, |c| c.is_ascii_uppercase() || c.is_ascii_digit()) == 16)
    });
    aws || KEY_PREFIXES.iter().any(|(prefix, length)| {
        words(text, prefix).any(|behind| run(behind, |c| c.is_ascii_alphanumeric() || "_-".contains(c)) >= *length)
    })
}

/// A bearer or basic authorisation, or a signed JSON web token (RFC 7519).
fn is_token(text: &str) -> bool {
    let token68 = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let lower = text.to_ascii_lowercase();
    let scheme = words(&lower, "bearer ").any(|behind| {
        let token = behind.trim_start();
        let length = run(token, token68);
        // "the bearer authentication-service": a token of one case without digits is a word.
        length >= 16 && (length >= 32 || token[..length].bytes().any(|byte| byte.is_ascii_digit()))
    }) || lower.find("authorization: basic ").is_some_and(|at| run(&lower[at + 21..], token68) >= 8);
    let web_token = words(text, "eyJ").any(|behind| {
        let length = run(behind, |c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let parts: Vec<_> = behind[..length].split('.').collect();
        parts.len() >= 3 && parts[0].len() >= 7 && parts[1].starts_with("eyJ") && parts[2].len() >= 10
    });
    scheme || web_token
}

/// A URL that carries its own permission: AWS and Google query signatures, CloudFront, Azure SAS.
fn is_signed_url(text: &str) -> bool {
    let parameter = |name: &str| {
        words(text, name).any(|behind| behind.strip_prefix('=').is_some_and(|value| run(value, |c| c != '&') >= 8))
    };
    let present = |name: &str| words(text, name).any(|behind| behind.starts_with('='));
    parameter("X-Amz-Signature")
        || parameter("X-Amz-Security-Token")
        || parameter("X-Goog-Signature")
        || (parameter("Signature") && (present("Expires") || present("Key-Pair-Id") || present("AWSAccessKeyId")))
        || (parameter("sig") && (present("se") || present("sv")))
}

/// `scheme://user:password@host`.
fn is_address_with_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, separator)| {
        let behind = &text[at + separator.len()..];
        let authority = &behind[..run(behind, |c| !c.is_whitespace() && !"/?#\"'<>".contains(c))];
        let Some((user, _)) = authority.rsplit_once('@') else { return false };
        // A variable or a mask in its place tells nothing.
        user.split_once(':').is_some_and(|(_, password)| {
            !password.is_empty() && !password.starts_with(['$', '{', '*']) && password != "x-oauth-basic"
        })
    })
}

/// Azure storage, Service Bus and database connection strings.
fn is_connection_string(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let key = ["accountkey=", "sharedaccesskey=", "sharedaccesssignature="]
        .iter()
        .any(|name| words(&lower, name).any(|behind| run(behind, |c| c != ';' && !c.is_whitespace()) >= 16));
    let pair = lower.contains(';')
        && ["server=", "data source=", "host=", "endpoint="].iter().any(|name| words(&lower, name).next().is_some())
        && ["password=", "pwd="].iter().any(|name| words(&lower, name).any(|behind| run(behind, |c| c != ';') > 0));
    key || pair
}

/// What follows each place where `prefix` begins a word.
fn words<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(prefix).filter_map(move |(at, found)| {
        let begins = text[..at].chars().next_back().is_none_or(|before| !before.is_ascii_alphanumeric());
        begins.then(|| &text[at + found.len()..])
    })
}

/// Bytes at the start of a text that all fulfil a condition.
fn run(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}
