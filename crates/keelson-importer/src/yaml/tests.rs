use serde_json::json;

use super::*;

fn one(text: &str) -> Document {
    let mut read = documents(text, 64);
    assert_eq!(read.len(), 1, "{read:?}");
    read.remove(0).unwrap()
}

fn refusal(text: &str) -> String {
    match documents(text, 64).remove(0) {
        Ok(document) => panic!("read {}", document.value),
        Err(error) => error.to_string(),
    }
}

#[test]
fn scalars_follow_the_core_schema() {
    let cases = [
        ("~", json!(null)),
        ("null", json!(null)),
        ("true", json!(true)),
        ("FALSE", json!(false)),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("12", json!(12)),
        ("-7", json!(-7)),
        ("+7", json!(7)),
        ("0o17", json!(15)),
        ("0xff", json!(255)),
        ("010", json!(10)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ("18446744073709551616", json!("18446744073709551616")),
        ("1.10", json!(1.1)),
        (".5", json!(0.5)),
        ("1e3", json!(1000.0)),
        (".inf", json!(".inf")),
        (".nan", json!(".nan")),
        ("1e999", json!("1e999")),
        ("1_000", json!("1_000")),
        ("12:30", json!("12:30")),
        ("1.2.3", json!("1.2.3")),
        ("2020-01-01", json!("2020-01-01")),
        (".", json!(".")),
        ("e3", json!("e3")),
        ("1e", json!("1e")),
        ("\"12\"", json!("12")),
        ("'true'", json!("true")),
        ("!!str 12", json!("12")),
        ("!!int 12", json!(12)),
        ("! 12", json!("12")),
        ("!<tag:yaml.org,2002:str> 12", json!("12")),
    ];
    for (text, expected) in cases {
        assert_eq!(one(&format!("a: {text}\n")).value, json!({ "a": expected }), "{text}");
    }
}

#[test]
fn spellings_of_numbers_are_kept() {
    let document = one("version: 1.10\ncount: 3\naccount: 012345678901\n");
    assert_eq!(document.text_of("/version"), Some("1.10"));
    assert_eq!(document.text_of("/count"), None);
    assert_eq!(document.text_of("/account"), Some("012345678901"));
    assert_eq!(document.text_of("/nothing"), None);
}

#[test]
fn lines_are_known_by_pointer() {
    let document = one("# first\nkind: A\nspec:\n  list:\n    - x\n    -\n      b: 1\n  a/b~c: 2\n");
    for (pointer, line) in [
        ("", 2),
        ("/kind", 2),
        ("/spec", 3),
        ("/spec/list", 4),
        ("/spec/list/0", 5),
        ("/spec/list/1/b", 7),
        ("/spec/a~1b~0c", 8),
        ("/spec/list/9/none", 4),
        ("/none", 2),
    ] {
        assert_eq!(document.line_of(pointer), line, "{pointer}");
    }
    assert_eq!(document.line, 2);
}

#[test]
fn streams_have_several_documents() {
    let read = documents("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n---\nc: 3\n", 64);
    let read: Vec<_> =
        read.into_iter().map(|document| document.unwrap()).map(|d| (d.number, d.line, d.value)).collect();
    assert_eq!(read, [(1, 2, json!({"a": 1})), (4, 7, json!({"b": 2})), (5, 10, json!({"c": 3}))]);
    assert!(documents("", 64).is_empty());
    assert!(documents("# only\n\n", 64).is_empty());
    assert_eq!(one("null\n").value, json!(null));
}

#[test]
fn reading_goes_on_behind_a_bad_document() {
    let text = "a: 1\n---\nb: [1\n---\nc: 3\n---\nd: *none\n---\n}e: 4\n---\nf: 1\nf: 2\n---\ng: !x 1\n---\nh: 6\n";
    let read = documents(text, 64);
    let shape: Vec<_> = read
        .iter()
        .map(|document| match document {
            Ok(document) => format!("{} {} {}", document.number, document.line, document.value),
            Err(error) => format!("error at {}", error.line),
        })
        .collect();
    assert_eq!(
        shape,
        [
            "1 1 {\"a\":1}",
            "error at 4",
            "3 5 {\"c\":3}",
            "error at 7",
            "error at 9",
            "error at 12",
            "error at 14",
            "8 16 {\"h\":6}",
        ]
    );
}

#[test]
fn aliases_are_expanded_within_bounds() {
    let document = one("base: &b {x: 1, y: [2]}\ncopy: *b\nkey: &k name\n*k : 3\n");
    assert_eq!(
        document.value,
        json!({"base": {"x": 1, "y": [2]}, "copy": {"x": 1, "y": [2]}, "key": "name", "name": 3})
    );
    assert_eq!(document.line_of("/copy/y/0"), 2);
    assert!(refusal("a: &a [*a]\n").contains("inside"));
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for level in 1..12 {
        let list = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert!(refusal(&bomb).contains("more than 10000"));
    let big = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(","));
    assert!(refusal(&big).contains("64 MiB"));
}

#[test]
fn what_is_not_plain_yaml_is_refused() {
    assert_eq!(refusal("a: 1\nb: 2\na: 3\n"), "line 3: the key 'a' is given twice; keep one of them");
    assert!(refusal("1: a\n\"1\": b\n").contains("twice"));
    assert!(refusal("a: !secret x\n").contains("!secret"));
    assert!(refusal("a: !!binary x\n").contains("tag"));
    assert!(refusal("a: !!int x\n").contains("not what"));
    assert!(refusal("? [a]\n: 1\n").contains("key"));
}

#[test]
fn nesting_is_bounded_without_the_call_stack() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(documents(&deep(64), 64)[0].is_ok());
    assert!(documents(&deep(65), 64)[0].is_err());
    assert!(documents(&"[".repeat(1_000_000), 64)[0].is_err());
    assert!(documents(&"- ".repeat(100_000), usize::MAX)[0].is_err());
    let by_alias = format!("a: &a {}\nb: {}*a{}\n", deep(40), "[".repeat(40), "]".repeat(40));
    assert!(refusal(&by_alias).contains("nested"));
}

#[test]
fn long_keys_do_not_multiply() {
    let text = format!("{}: [{}]\n", "k".repeat(500), "1,".repeat(50_000));
    assert_eq!(one(&text).value.as_object().unwrap().len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[-a: \\[\\]{}&*!'\"\n,?|>%#~1\t]{0,60}") {
        let _ = documents(&text, 8);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
        let _ = documents(&String::from_utf8_lossy(&bytes), 8);
    }
}
