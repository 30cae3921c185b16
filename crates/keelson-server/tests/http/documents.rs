//! Packs and calendars: what a browser opens, a calendar program subscribes to, and a command writes to files.

use serde_json::{Value as Json, json};

use crate::support::{BATCH, ESTATE, Reply, Running, run, start};

/// A server with the estate and one request that takes a host down.
async fn meeting() -> Running {
    let server = start().await;
    assert_eq!(server.import(&format!("/imports/estate/{BATCH}"), ESTATE).await.status, 200);
    let content = json!({
        "title": "Replace <hv2>", "reason": "it is old", "rollback": { "plan": "put it back", "minutes": 30 },
        "window": { "start": "2026-12-01T22:00:00Z", "end": "2026-12-02T02:00:00Z" },
        "alterations": [{ "key": "host/hv2", "action": "takes_down" }],
    });
    let mut new = json!({ "act": "new_request" });
    new.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
    let reply = act(&server, &json!({ "act": new, "actor": "ann" })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let submit = |version: u32| json!({ "act": { "act": "submit", "key": "RFC-1" }, "expectedVersion": version });
    act(&server, &submit(7)).await.problem(400, "BAD_USER_INPUT");
    assert_eq!(act(&server, &submit(1)).await.json()["state"], "submitted");
    server
}

async fn act(server: &Running, body: &Json) -> Reply {
    server.send("POST", "/acts", &[("content-type", "application/json")], body.to_string()).await
}

async fn post(server: &Running, body: &Json) -> Reply {
    server.send("POST", "/packs", &[("content-type", "application/json")], body.to_string()).await
}

#[test]
fn a_pack_is_a_page_that_can_do_nothing_but_show_itself() {
    run(async {
        let server = meeting().await;
        let times = "from=2026-12-01T00:00:00Z&to=2026-12-08T00:00:00Z";
        let reply = server.get(&format!("/packs/schedule?{times}&title=Tuesday&zone=Europe/Berlin")).await;
        assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
        assert!(reply.headers["content-security-policy"].contains("default-src 'none'"), "{:?}", reply.headers);
        assert!(reply.body.contains("Tuesday") && reply.body.contains("Replace &lt;hv2&gt;"), "{}", reply.body);
        let reply = server.get("/packs/changes/RFC-1?form=markdown").await;
        assert_eq!(reply.headers["content-type"], "text/markdown; charset=utf-8");
        assert!(reply.body.contains("service/payments"), "{}", reply.body);
        let then = server.get("/packs/changes/RFC-1?asOf=r2").await;
        assert_eq!(then.status, 200, "{then:?}");
        server.get("/packs/changes/RFC-1?asOf=r1").await.problem(404, "NOT_FOUND");
        for bad in ["RFC-1?form=csv", "RFC-1?asOf=yesterday", "RFC-1?zone=Nowhere", "RFC-1?colour=red"] {
            server.get(&format!("/packs/changes/{bad}")).await.problem(400, "BAD_USER_INPUT");
        }
        let backwards = "from=2026-12-08T00:00:00Z&to=2026-12-01T00:00:00Z";
        server.get(&format!("/packs/schedule?{backwards}")).await.problem(400, "BAD_USER_INPUT");
    });
}

#[test]
fn a_pack_is_files_for_a_command() {
    run(async {
        let server = meeting().await;
        let reply = post(&server, &json!({ "of": { "request": "RFC-1" }, "form": "csv" })).await;
        let files = reply.json();
        let names: Vec<&str> = files.as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
        assert!(names.len() > 2 && names.iter().all(|name| name.ends_with(".csv")), "{names:?}");
        let reply = post(&server, &json!({ "of": { "request": "RFC-1" }, "form": "json" })).await;
        let answer: Json = serde_json::from_str(reply.json()[0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(answer["change"]["key"], "RFC-1");
        post(&server, &json!({ "of": { "request": "RFC-9" } })).await.problem(404, "NOT_FOUND");
        post(&server, &json!({ "of": { "everything": true } })).await.problem(400, "BAD_USER_INPUT");
    });
}

#[test]
fn calendar_programs_subscribe_to_the_schedule() {
    run(async {
        let server = meeting().await;
        let reply = server.get("/schedule.ics?from=2026-12-01T00:00:00Z").await;
        assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/calendar; charset=utf-8"));
        for line in ["BEGIN:VCALENDAR", "UID:RFC-1@keelson", "DTSTART:20261201T220000Z", "STATUS:TENTATIVE"] {
            assert!(reply.body.contains(line), "{line} is not in {}", reply.body);
        }
        let none = server.get("/schedule.ics?from=2027-12-01T00:00:00Z").await;
        assert!(none.status == 200 && !none.body.contains("VEVENT"), "{none:?}");
    });
}
