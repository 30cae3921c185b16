//! Stories over real HTTP and a store on disk: what several people do with one catalogue.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod site;

use serde_json::{Value as Json, json};
use site::{Site, run};
use tempfile::TempDir;

/// What the service owners declare.
const SERVICES: &str = r#"{"batch":{"format":"keelson/1","source":"services","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}
{"ci":{"key":"service/shop","class":"service","name":"Shop","criticality":"critical","attributes":{"minimum_delivered":0.8}}}
{"need":{"dependent":"service/shop","name":"web","rule":"at_least","k":1,"members":["virtual-machine/web-1","virtual-machine/web-2"]}}
{"relationship":{"kind":"uses","dependent":"service/shop","dependency":"service/sign-on"}}
{"ci":{"key":"service/sign-on","class":"service","name":"Sign-on","criticality":"high"}}
"#;

/// What the platform team's inventory finds: both machines stand on one hypervisor.
const MACHINES: &str = r#"{"batch":{"format":"keelson/1","source":"machines","scope":"hall-1","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}
{"ci":{"key":"hypervisor/hv-1","class":"hypervisor","name":"hv-1"}}
{"ci":{"key":"hypervisor/hv-2","class":"hypervisor","name":"hv-2"}}
{"ci":{"key":"virtual-machine/web-1","class":"virtual-machine","name":"web-1"}}
{"ci":{"key":"virtual-machine/web-2","class":"virtual-machine","name":"web-2"}}
{"relationship":{"kind":"hosted_on","dependent":"virtual-machine/web-1","dependency":"hypervisor/hv-1"}}
{"relationship":{"kind":"hosted_on","dependent":"virtual-machine/web-2","dependency":"hypervisor/hv-1"}}
"#;

const IMPACT: &str = "query($key: String, $asOf: DateTime) { impact(input: { seeds: [{ item: { key: $key } }] }, \
    asOf: $asOf) { services { nodes { item { key } verdict because { need members { nodes { key } } } } } \
    protectedServices { nodes { item { key } by { need margin } } } completeness { isComplete revision { number } } } }";

async fn impact(site: &Site, key: &str, as_of: Option<&Json>) -> Json {
    site.ask(IMPACT, json!({ "key": key, "asOf": as_of })).await["impact"].clone()
}

fn breached(answer: &Json) -> Vec<&str> {
    let services = answer["services"]["nodes"].as_array().unwrap().iter();
    services.filter(|line| line["verdict"] == "BREACHED").map(|line| line["item"]["key"].as_str().unwrap()).collect()
}

#[test]
fn a_board_a_platform_team_and_an_auditor() {
    run(async {
        let folder = TempDir::new().unwrap();
        let site = Site::open(folder.path()).await;

        // The services come first; what they need is not described yet, and answers say so.
        site.deliver("services", "01KA0000000000000000000001", SERVICES).await;
        let answer = impact(&site, "virtual-machine/web-1", None).await;
        assert_eq!(answer["completeness"]["isComplete"], false, "{answer:#}");

        // The inventory fills the placeholders in: the redundancy turns out to be none.
        let delivered = site.deliver("machines", "01KA0000000000000000000002", MACHINES).await;
        assert_eq!(delivered["configurationItems"]["filled_placeholder"], 2, "{delivered:#}");
        let alone = impact(&site, "virtual-machine/web-1", None).await;
        assert_eq!(alone["protectedServices"]["nodes"][0]["by"], json!({ "need": "web", "margin": 0 }), "{alone:#}");
        let shared = impact(&site, "hypervisor/hv-1", None).await;
        assert_eq!(breached(&shared), ["service/shop"]);
        let at = site.ask("{ revision { at } }", json!({})).await["revision"]["at"].clone();

        // The platform team moves a machine; the next question knows.
        let moved = MACHINES
            .replace(
                "\"dependent\":\"virtual-machine/web-2\",\"dependency\":\"hypervisor/hv-1\"",
                "\"dependent\":\"virtual-machine/web-2\",\"dependency\":\"hypervisor/hv-2\"",
            )
            .replace("2026-11-01", "2026-11-02");
        let delivered = site.deliver("machines", "01KA0000000000000000000003", &moved).await;
        assert_eq!(delivered["relationships"]["created"], 1, "{delivered:#}");
        assert_eq!(delivered["relationships"]["withdrawn"], 1, "{delivered:#}");
        assert_eq!(breached(&impact(&site, "hypervisor/hv-1", None).await), Vec::<&str>::new());

        // A person corrects a criticality; the source's value stays beneath it.
        let item = site.ask(r#"{ configurationItem(by: { key: "service/sign-on" }) { id version } }"#, json!({})).await
            ["configurationItem"]
            .clone();
        let update = "mutation($input: UpdateConfigurationItemInput!) { updateConfigurationItem(input: $input) { \
            configurationItem { criticality } userErrors { message } } }";
        let input = json!({ "id": item["id"], "expectedVersion": item["version"], "criticality": "CRITICAL",
                            "reason": "everything people log in to" });
        site.ask(update, json!({ "input": input })).await;

        // The same delivery again, and another one under its id.
        let again = site.deliver("machines", "01KA0000000000000000000003", &moved).await;
        assert_eq!(again["outcome"], "already_known", "{again:#}");
        let (status, _) =
            site.send("PUT", "/imports/machines/01KA0000000000000000000003", "application/x-ndjson", MACHINES).await;
        assert_eq!(status, 409);

        // After a restart everything is as it was, and the auditor reads what the board saw.
        site.stop().await;
        let site = Site::open(folder.path()).await;
        assert_eq!(breached(&impact(&site, "hypervisor/hv-1", Some(&at)).await), ["service/shop"]);
        assert_eq!(breached(&impact(&site, "hypervisor/hv-1", None).await), Vec::<&str>::new());
        let history = "query($id: ID!) { node(id: $id) { ... on Service { criticality history { nodes { \
            revision { actor reason } changes { field before after } } } } } }";
        let told = site.ask(history, json!({ "id": item["id"] })).await["node"].clone();
        assert_eq!(told["criticality"], "CRITICAL");
        assert_eq!(told["history"]["nodes"][0]["revision"]["reason"], "everything people log in to", "{told:#}");
        let runs = site.ask("{ importRuns { nodes { source outcome } } }", json!({})).await;
        assert_eq!(runs["importRuns"]["nodes"].as_array().unwrap().len(), 3, "{runs:#}");
        site.stop().await;
    });
}
