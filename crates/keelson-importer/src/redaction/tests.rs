use serde_json::json;

use super::*;

#[test]
fn secret_names_are_known_in_every_spelling() {
    let words: &[&[&str]] = &[
        &["password"],
        &["db", "password"],
        &["passwd"],
        &["client", "secret"],
        &["session", "token"],
        &["api", "key"],
        &["access", "key"],
        &["secret", "access", "key", "id"],
        &["private", "key", "pem"],
        &["credentials"],
        &["google", "credential"],
        &["primary", "connection", "string"],
        &["auth", "key"],
        &["authorization", "signing", "key"],
        &["key", "for", "auth"],
    ];
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    for words in words {
        let camel: String = words.iter().map(|word| capital(word)).collect();
        let spellings = [
            words.join("_"),
            words.join("-"),
            words.join("."),
            words.join(" "),
            words.join("/"),
            words.concat(),
            words.join("_").to_ascii_uppercase(),
            words.join("-").to_ascii_uppercase(),
            camel[..1].to_ascii_lowercase() + &camel[1..],
            camel,
        ];
        for spelling in spellings {
            assert!(is_secret_name(&spelling), "{spelling}");
        }
    }
}

#[test]
fn harmless_names_stay() {
    let names = [
        "name",
        "key",
        "kms_key_id",
        "public_key",
        "author",
        "monkey",
        "partition_key",
        "http_tokens",
        "HttpTokens",
        "secretName",
        "secret_name",
        "secretKeyRef",
        "imagePullSecrets",
        "token_validity",
        "access_token_validity",
        "refresh-token-validity",
        "tokenValidityUnits",
        "automountServiceAccountToken",
        "minimum_password_length",
        "password_policy",
        "password_last_used",
        "PasswordLastChanged",
        "secret_arn",
        "token_ttl",
        "disable_password_authentication",
        "authority_key_id",
    ];
    for name in names {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn secret_values_are_known_by_their_shape() {
    let secrets = [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----".to_owned(),
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nx".to_owned(),
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "key=ASIAIOSFODNN7EXAMPLE;".to_owned(),
        format!("AIza{}", "a1".repeat(18)),
        format!("ghp_{}", "a".repeat(36)),
        "glpat-abcdefghij0123456789".to_owned(),
        "Bearer abcdef0123456789abcdef".to_owned(),
        "authorization: bearer  abcdef0123456789abcdef==".to_owned(),
        "Authorization: Basic dXNlcjpwYXNz".to_owned(),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2ln".to_owned(),
        "https://b.s3.amazonaws.com/o?X-Amz-Expires=60&X-Amz-Signature=0123456789abcdef".to_owned(),
        "https://storage.googleapis.com/b/o?X-Goog-Signature=0123456789abcdef".to_owned(),
        "https://a.blob.core.windows.net/c?sv=2020-01-01&se=2021&sig=abcdefgh%3D".to_owned(),
        "https://d.cloudfront.net/o?Expires=1&Signature=abcdefghij&Key-Pair-Id=K".to_owned(),
        "postgres://app:hunter2@db.example:5432/app".to_owned(),
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcdefghijklmnopqrstuvwxyz==".to_owned(),
        "Server=tcp:db;Database=x;Password=hunter2;".to_owned(),
    ];
    for secret in &secrets {
        assert!(is_secret_value(secret), "{secret}");
    }
    let harmless = [
        "",
        "short",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "AKIAIOSFODNN7",
        "XAKIAIOSFODNN7EXAMPLE",
        "arn:aws:iam::123456789012:role/AROAIOSFODNN7EXAMPLE",
        "the bearer authentication-service",
        "https://example.org/a?sig=1",
        "https://git@example.org/x.git",
        "postgres://db.example:5432/app",
        "postgres://app:$PASSWORD@db.example/app",
        "host=db;port=5432",
        "mailto:a:b@example.org",
        "grüße://ß:@ß",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    ];
    for text in harmless {
        assert!(!is_secret_value(text), "{text}");
    }
}

#[test]
fn secrets_are_taken_out_in_place() {
    let mut value = json!({
        "name": "db",
        "password": "hunter2",
        "passwordless": null,
        "manage_password": true,
        "empty_secret": "",
        "pin_token": 1234,
        "a/b~c": { "apiKey": {"deep": [1]} },
        "list": [{"x": "AKIAIOSFODNN7EXAMPLE"}, "Bearer abcdef0123456789abcdef"],
        "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "PORT", "value": "80"}],
        "json": "{\"a\":[{\"token\":\"hunter2\"}]}",
        "nested": "{\"a\":\"{\\\"Key\\\":\\\"secret\\\",\\\"Value\\\":\\\"hunter2\\\"}\"}",
        "policy": "{\"Version\":\"2012-10-17\"}",
        "private": "hunter2",
    });
    let taken = redact(&mut value, &["/private".to_owned(), "/none/0".to_owned()]);
    assert_eq!(
        taken,
        [
            "/a~1b~0c/apiKey",
            "/env/0/value",
            "/json",
            "/list/0/x",
            "/list/1",
            "/nested",
            "/password",
            "/pin_token",
            "/private",
        ]
    );
    assert!(!value.to_string().contains("hunter2"));
    for pointer in &taken {
        assert_eq!(value.pointer(pointer), Some(&Json::Null), "{pointer}");
    }
    assert_eq!(value["env"][1]["value"], "80");
    assert_eq!(value["manage_password"], true);
    assert_eq!(redact(&mut value, &[]), Vec::<String>::new());
}

#[test]
fn a_secret_may_be_the_whole_value() {
    let mut value = json!("AKIAIOSFODNN7EXAMPLE");
    assert_eq!(redact(&mut value, &[]), [""]);
    assert_eq!(value, Json::Null);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_shapes_panic(text in "[A-Za-z0-9:/@;=.&? äß-]{0,80}") {
        let _ = is_secret_value(&text);
        let _ = is_secret_name(&text);
    }
}
