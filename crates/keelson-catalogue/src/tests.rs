//! Commits applied to a catalogue, and what is found in it afterwards.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use keelson_model::{
    BatchId, Change, CiId, CiKey, Claim, CommitHeader, ConfigurationItem, Digest, Facts, IdSource, Position,
    Provenance, RecordChange, Relationship, RelationshipClaim, RelationshipKey, Revision, Schema, Scope, SequentialIds,
    SourceKey, Standing, Stated, Symbol, Value,
};
use smallvec::smallvec;

use crate::query::{Condition, Field, OrderBy, Query, Test};
use crate::{ApplyError, Catalogue};

const CLASSES: &str = r#"
    [[class]]
    name = "configuration-item"
    title = "Configuration item"
    description = ""
    [[class.attribute]]
    name = "serial_number"
    type = "string"
    description = ""
    [[class]]
    name = "host"
    is_a = "configuration-item"
    title = "Host"
    description = ""
    [[class.attribute]]
    name = "memory"
    type = "decimal"
    unit = "GiB"
    description = ""
    [[class.identity]]
    priority = 10
    attributes = ["serial_number"]
"#;

fn catalogue() -> Catalogue {
    Catalogue::new(Arc::new(Schema::build([("classes", CLASSES)], []).unwrap()))
}

fn time() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn provenance() -> Provenance {
    Provenance {
        source: Symbol::new("test"),
        scope: Scope::named("all"),
        batch: BatchId::next(&mut SequentialIds::default()),
        first_observed: time(),
        observed_at: time(),
        position: Position::default(),
        tombstone: None,
    }
}

fn host(ids: &mut impl IdSource, name: &str, attributes: &[(&str, Value)]) -> ConfigurationItem {
    let facts = Facts {
        name: Some(Arc::from(name)),
        attributes: attributes.iter().map(|(name, value)| (Symbol::new(name), value.clone())).collect(),
        ..Facts::default()
    };
    ConfigurationItem {
        id: CiId::next(ids),
        key: CiKey::of("host", name),
        class: Symbol::new("host"),
        standing: Standing::Live,
        version: 1,
        claims: smallvec![Claim {
            provenance: provenance(),
            source_key: SourceKey::new(name).unwrap(),
            stated_key: None,
            native_id: None,
            native_version: None,
            facts,
            self_relationships: Vec::new(),
        }],
        merged: None,
        succeeds: None,
        withdrawn_at: None,
    }
}

fn commit(catalogue: &mut Catalogue, changes: &[RecordChange]) -> Result<(), ApplyError> {
    let header = CommitHeader {
        revision: catalogue.revision().next(),
        at: time(),
        recorded_at: None,
        actor: Arc::from("tester"),
        action: Arc::from("test"),
        source: None,
        reason: None,
        batch: None,
        previous: catalogue.head().digest,
        changes: changes.len() as u64,
        chunks: vec![Digest::of(b"")],
    };
    catalogue.apply(&header, changes.iter().map(|change| (0, change)))
}

fn created(ci: ConfigurationItem) -> RecordChange {
    RecordChange::Ci(Change::created(ci))
}

#[test]
fn an_item_is_found_by_everything_it_is_known_by() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let web = host(&mut ids, "web", &[("serial_number", Value::text("4711"))]);
    commit(&mut catalogue, &[created(web.clone())]).unwrap();
    let ix = catalogue.find_id(web.id).unwrap();
    assert_eq!(catalogue.find_key("host/web"), Some(ix));
    assert_eq!(catalogue.find_source(&Symbol::new("test"), &SourceKey::new("web").unwrap()), Some(ix));
    let class = catalogue.schema().classes.get("host").unwrap();
    let identity = crate::identity::identities(class, None, &web.facts().attributes, |_| Vec::new());
    assert_eq!(catalogue.find_identity(&identity[0].key), [ix]);
    assert!(catalogue.claimed(&Symbol::new("test"), &Scope::named("all")).unwrap().cis.contains(&ix.0));
}

#[test]
fn a_clone_stays_at_its_revision() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let web = host(&mut ids, "web", &[]);
    commit(&mut catalogue, &[created(web.clone())]).unwrap();
    let before = catalogue.clone();
    let mut renamed = web.clone();
    renamed.version = 2;
    renamed.key = CiKey::of("host", "web-new");
    commit(&mut catalogue, &[RecordChange::Ci(Change::updated(Arc::new(web), renamed))]).unwrap();
    assert_eq!((before.revision(), catalogue.revision()), (Revision(1), Revision(2)));
    assert!(before.find_key("host/web").is_some() && before.find_key("host/web-new").is_none());
    assert!(catalogue.find_key("host/web").is_none() && catalogue.find_key("host/web-new").is_some());
    assert_eq!(catalogue.cis().next().unwrap().1.trail.len(), 2);
}

#[test]
fn a_withdrawn_item_does_not_reserve_its_key() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let old = host(&mut ids, "web", &[]);
    commit(&mut catalogue, &[created(old.clone())]).unwrap();
    let mut gone = old.clone();
    gone.version = 2;
    gone.standing = Standing::Withdrawn;
    commit(&mut catalogue, &[RecordChange::Ci(Change::updated(Arc::new(old.clone()), gone))]).unwrap();
    assert_eq!(catalogue.find_key("host/web"), catalogue.find_id(old.id), "still readable by its key");
    let new = host(&mut ids, "web", &[]);
    commit(&mut catalogue, &[created(new.clone())]).unwrap();
    assert_eq!(catalogue.find_key("host/web"), catalogue.find_id(new.id));
}

#[test]
fn what_does_not_follow_is_refused() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let web = host(&mut ids, "web", &[]);
    let mut later = web.clone();
    later.version = 3;
    let update = RecordChange::Ci(Change::updated(Arc::new(web.clone()), later));
    assert!(matches!(commit(&mut catalogue.clone(), &[update]), Err(ApplyError::Unexpected { .. })));
    let ends = RelationshipKey { dependent: web.id, kind: Symbol::new("uses"), dependency: CiId::next(&mut ids) };
    let dangling = RecordChange::Relationship(Change::created(relationship(ends)));
    assert!(matches!(commit(&mut catalogue, &[created(web), dangling]), Err(ApplyError::Dangling { .. })));
}

fn relationship(key: RelationshipKey) -> Relationship {
    Relationship {
        key,
        standing: Standing::Live,
        version: 1,
        claims: smallvec![RelationshipClaim {
            provenance: provenance(),
            stated: Stated::Plain,
            basis: keelson_model::Basis::Declared,
            confidence: None,
            strength: None,
            evidence: None,
            source_type: None,
            attributes: keelson_model::Attributes::new(),
        }],
        withdrawn_at: None,
    }
}

#[test]
fn relationships_hang_on_both_ends() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let (web, db) = (host(&mut ids, "web", &[]), host(&mut ids, "db", &[]));
    let ends = RelationshipKey { dependent: web.id, kind: Symbol::new("uses"), dependency: db.id };
    let changes = [created(web), created(db), RecordChange::Relationship(Change::created(relationship(ends.clone())))];
    commit(&mut catalogue, &changes).unwrap();
    let ix = catalogue.find_relationship_key(&ends).unwrap();
    let slot = catalogue.relationship(ix);
    assert_eq!(catalogue.slot(slot.dependent).dependencies, [ix]);
    assert_eq!(catalogue.slot(slot.dependency).dependents, [ix]);
}

#[test]
fn queries_filter_and_order() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let memory = |text: &str| [("memory", Value::Decimal(text.parse().unwrap()))];
    let changes = [
        created(host(&mut ids, "small", &memory("4"))),
        created(host(&mut ids, "large", &memory("64.5"))),
        created(host(&mut ids, "unknown", &[])),
    ];
    commit(&mut catalogue, &changes).unwrap();
    let keys = |query: Query| -> Vec<String> {
        query.run(&catalogue).unwrap().into_iter().map(|ix| catalogue.ci(ix).name().to_owned()).collect()
    };
    let memory = || Field::Attribute(Symbol::new("memory"));
    let order = vec![OrderBy { field: memory(), descending: true }];
    assert_eq!(keys(Query { order, ..Query::default() }), ["large", "small", "unknown"]);
    let condition = Some(Condition::Field(memory(), Test::Greater(Value::Integer(4))));
    assert_eq!(keys(Query { condition, ..Query::default() }), ["large"]);
    let class = Test::Is(vec![Value::text("configuration-item")]);
    let condition = Some(Condition::And(vec![
        Condition::Field(Field::Class, class),
        Condition::Not(Box::new(Condition::Field(memory(), Test::IsNull(false)))),
    ]));
    assert_eq!(keys(Query { condition, ..Query::default() }), ["unknown"]);
    assert_eq!(keys(Query { text: vec!["LARGE".into()], ..Query::default() }), ["large"]);
    let mut deep = Condition::And(Vec::new());
    for _ in 0..20 {
        deep = Condition::Not(Box::new(deep));
    }
    assert!(Query { condition: Some(deep), ..Query::default() }.run(&catalogue).is_err());
}

#[test]
fn owners_are_who_things_are_owned_by() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let names = ["owned", "formerly", "never", "team"];
    let items: Vec<_> = names.iter().map(|name| host(&mut ids, name, &[])).collect();
    let owned = |dependent: &ConfigurationItem, kind: &str, standing: Standing| {
        let key = RelationshipKey { dependent: dependent.id, kind: Symbol::new(kind), dependency: items[3].id };
        let mut relationship = relationship(key);
        relationship.standing = standing;
        RecordChange::Relationship(Change::created(relationship))
    };
    let mut changes: Vec<_> = items.iter().cloned().map(created).collect();
    changes.push(owned(&items[0], "owned_by", Standing::Live));
    changes.push(owned(&items[1], "owned_by", Standing::Withdrawn));
    changes.push(owned(&items[2], "uses", Standing::Live));
    commit(&mut catalogue, &changes).unwrap();
    let found = |test: Test| -> Vec<String> {
        let query = Query { condition: Some(Condition::Owner(test)), ..Query::default() };
        query.run(&catalogue).unwrap().into_iter().map(|ix| catalogue.ci(ix).name().to_owned()).collect()
    };
    let team = || vec![Value::text("host/team")];
    assert_eq!(found(Test::Is(team())), ["owned"]);
    assert_eq!(found(Test::Contains("TEAM".into())), ["owned"]);
    assert_eq!(found(Test::IsNull(false)), ["owned"]);
    assert_eq!(found(Test::IsNull(true)), ["formerly", "never", "team"]);
    assert_eq!(found(Test::IsNot(team())), ["formerly", "never", "team"]);
}

#[test]
fn what_no_class_describes_can_be_asked_for() {
    let mut ids = SequentialIds::default();
    let mut catalogue = catalogue();
    let mut item = host(&mut ids, "a", &[]);
    let told = [("rack", "\"R 7\""), ("slots", "12"), ("spare", "true"), ("gone", "null")];
    item.claims[0].facts.unmodelled = told.map(|(name, json)| (Symbol::new(name), Arc::from(json))).into();
    commit(&mut catalogue, &[created(item)]).unwrap();
    let holds = |name: &str, test: Test| {
        let condition = Some(Condition::Field(Field::Attribute(Symbol::new(name)), test));
        Query { condition, ..Query::default() }.run(&catalogue).unwrap().len() == 1
    };
    assert!(holds("rack", Test::Is(vec![Value::text("R 7")])));
    assert!(holds("slots", Test::Greater(Value::Integer(11))));
    assert!(holds("spare", Test::Is(vec![Value::Boolean(true)])));
    assert!(holds("gone", Test::IsNull(true)));
}
