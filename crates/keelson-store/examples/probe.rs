//! probe
use surrealdb::types::*;
use futures::StreamExt;
#[allow(clippy::unwrap_used)]
fn main() {
    tokio::runtime::Builder::new_multi_thread().thread_stack_size(8<<20).enable_all().build().unwrap().block_on(async {
        tokio::spawn(go()).await.unwrap();
    });
}
#[allow(clippy::unwrap_used)]
async fn go() {
    let url = std::env::args().nth(1).unwrap_or("mem://".into());
    let db = surrealdb::engine::any::connect(&*url).await.unwrap();
    db.use_ns("n").use_db("d").await.unwrap();
    let r = db.query("INFO FOR DB STRUCTURE").await.unwrap();
    println!("{r:?}");
    let mut r = db.query(r#"
DEFINE TABLE ci TYPE NORMAL SCHEMAFULL PERMISSIONS NONE;
DEFINE FIELD key ON ci TYPE string;
DEFINE FIELD attributes ON ci TYPE object FLEXIBLE;
DEFINE FIELD claims ON ci TYPE array<object> FLEXIBLE;
DEFINE FIELD merged ON ci TYPE option<object> FLEXIBLE;
DEFINE FIELD withdrawn_at ON ci TYPE option<datetime>;
DEFINE TABLE relationship TYPE RELATION IN ci OUT ci SCHEMAFULL PERMISSIONS NONE;
DEFINE FIELD kind ON relationship TYPE string;
DEFINE FIELD claims ON relationship TYPE array<object> FLEXIBLE;
DEFINE TABLE chunk SCHEMAFULL PERMISSIONS NONE;
DEFINE FIELD bytes ON chunk TYPE bytes;
"#).await.unwrap();
    println!("{:?}", r.take_errors());
    let mut rows = vec![];
    for i in 0..3 {
        rows.push(object!{ id: RecordId::new("ci", format!("a{i}")), key: format!("k{i}"), attributes: object!{ x: 1.0, y: Value::Null, "a.b": "q\u{0}z".to_string(), l: vec![1,2] }, claims: vec![object!{ a: object!{b:1, id: 3}}]}.into_value());
    }
    for _ in 0..2 {
    let mut r = db.query("INSERT INTO ci $rows ON DUPLICATE KEY UPDATE key = $input.key, claims=$input.claims, merged=$input.merged, attributes=$input.attributes RETURN NONE").bind(("rows", Value::Array(rows.clone().into()))).await.unwrap();
    println!("{:?} {r:?}", r.take_errors());
    }
    let rel: Vec<Value> = (0..2).map(|i| object!{ id: RecordId::new("relationship", Array::from(vec![Value::String(format!("a{i}")), Value::String("k".into()), Value::String(format!("a{}",i+1))])), in: RecordId::new("ci", format!("a{i}")), out: RecordId::new("ci", format!("a{}",i+1)), kind: "k", claims: vec![object!{ a: 1}] }.into_value()).collect();
    for _ in 0..2 {
    let mut r = db.query("INSERT RELATION INTO relationship $rows ON DUPLICATE KEY UPDATE kind = $input.kind, claims=$input.claims RETURN NONE").bind(("rows", Value::Array(rel.clone().into()))).await.unwrap();
    println!("{:?} {r:?}", r.take_errors());
    }
    let mut r = db.query("SELECT * FROM ci; SELECT * FROM relationship; SELECT VALUE ->relationship->ci FROM ci:a0;").await.unwrap();
    for i in 0..3 { let v: Value = r.take(i).unwrap(); println!("{}", v.to_sql()); }
    let mut r = db.query("BEGIN; CREATE chunk:1 SET bytes=<bytes>'a'; THROW 'stale 5'; CREATE chunk:3 SET bytes=3; COMMIT;").await.unwrap();
    println!("THROW {:?}", r.take_errors());
    let mut r = db.query("BEGIN; CREATE chunk:1 SET bytes=<bytes>'a'; IF $x { THROW 'stale ' + <string>$x }; CREATE chunk:3 SET bytes=3; COMMIT;").bind(("x",5)).await.unwrap();
    println!("IFTHROW {:?}", r.take_errors());
    let mut r = db.query("BEGIN; CREATE chunk:1 SET bytes=<bytes>'a'; CREATE chunk:1 SET bytes=<bytes>'a'; COMMIT;").await.unwrap();
    println!("EXISTS {:?}", r.take_errors());
    let mut r = db.query("BEGIN; CREATE chunk:1 SET bytes=3;  COMMIT;").await.unwrap();
    println!("TYPE {:?}", r.take_errors());
    let mut r = db.query("FOR $i IN 0..10 { CREATE type::record('chunk', [$i, 0]) SET bytes=<bytes>'a'; CREATE type::record('chunk', [$i, 1]) SET bytes=<bytes>'a'; };").await.unwrap();
    println!("{:?}", r.take_errors());
    let range = RecordId::new("chunk", RecordIdKeyRange{ start: std::ops::Bound::Included(RecordIdKey::Array(vec![Value::from_t(3i64), Value::from_t(0i64)].into())), end: std::ops::Bound::Excluded(RecordIdKey::Array(vec![Value::from_t(6i64)].into())) });
    let mut r = db.query("SELECT id FROM $r; SELECT id FROM chunk ORDER BY id DESC LIMIT 3; SELECT id FROM $ids").bind(("r", range)).bind(("ids", vec![RecordId::new("chunk", Array::from(vec![1i64,0])), RecordId::new("chunk", Array::from(vec![1i64,7]))])).await.unwrap();
    for i in 0..3 { let v: Result<Value,_> = r.take(i); println!("{:?}", v.map(|v|v.to_sql())); }
    let mut s = db.query("SELECT * FROM ci").stream_items().unwrap();
    while let Some(i) = s.next().await { println!("{i:?}"); }
    let mut r = db.query("SELECT * FROM nosuch; INFO FOR TABLE ci STRUCTURE; INFO FOR DB STRUCTURE").await.unwrap();
    println!("{:?}", r.take_errors());
    println!("{:?}", surrealdb::engine::any::connect("foo://x").await.err());
    if url.starts_with("surrealkv") { println!("{:?}", surrealdb::engine::any::connect(&*url).await.err()); }
    println!("{:?}", surrealdb::engine::any::connect("ws://127.0.0.1:9").await.err());
}
