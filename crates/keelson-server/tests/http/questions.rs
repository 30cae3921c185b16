//! `POST /questions` answers as an embedded store does.

use keelson_app::{AsOf, Question};
use serde_json::{Value as Json, json};

use crate::support::{BATCH, ESTATE, Running, run, start};

async fn estate() -> Running {
    let server = start().await;
    let reply = server.import(&format!("/imports/estate/{BATCH}"), ESTATE).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    server
}

#[test]
fn answers_are_those_of_an_embedded_store() {
    run(async {
        let server = estate().await;
        for question in [
            json!({ "question": "get", "key": "service/payments", "most": 50 }),
            json!({ "question": "list", "class": null, "conditions": ["memory >= 32 GiB"], "text": [], "order": ["-name"],
                    "withdrawn": false, "skip": 0, "most": 10 }),
            json!({ "question": "impact", "seeds": [{ "key": "host/hv1", "loss": 1.0 }, { "key": "host/hv2", "loss": 0.3 }],
                    "interval": null, "budget": 200, "most": 100 }),
            json!({ "question": "impact", "seeds": [{ "key": "host/hv1", "loss": 1.0 }],
                    "interval": null, "budget": 0, "most": 100 }),
            json!({ "question": "history", "key": "host/hv1", "before": null, "most": 5 }),
            json!({ "question": "walk", "key": "service/payments", "way": "needs", "class": null, "depth": null, "most": 9 }),
            json!({ "question": "walk", "key": "host/hv1", "way": "dependents", "class": null, "depth": 1, "most": 9 }),
            json!({ "question": "path", "from": "service/payments", "to": "host/hv1" }),
            json!({ "question": "check", "most": 10, "budget": 1000 }),
        ] {
            for as_of in [Json::Null, json!({ "revision": 1 })] {
                let reply = server.ask(&json!({ "question": question, "asOf": as_of })).await;
                assert_eq!(reply.status, 200, "{question}: {reply:?}");
                assert_eq!(reply.headers["content-type"], "application/json");
                let asked: Question = serde_json::from_value(question.clone()).unwrap();
                let as_of: Option<AsOf> = serde_json::from_value(as_of).unwrap();
                let embedded = server.keelson.ask(asked, as_of).await.unwrap();
                assert_eq!(reply.json(), serde_json::to_value(&embedded).unwrap(), "{question}");
                let again = serde_json::from_str::<keelson_app::Answer>(&reply.body).unwrap();
                assert_eq!(again, embedded, "{question}");
            }
        }
    });
}

#[test]
fn questions_that_make_no_sense_are_refused_with_words() {
    run(async {
        let server = estate().await;
        let ask = async |question: Json| server.ask(&json!({ "question": question })).await;
        let reply = ask(json!({ "question": "get", "key": "host/none", "most": 5 })).await;
        let detail = reply.problem(404, "NOT_FOUND")["detail"].to_string();
        assert!(detail.contains("host/none"), "{detail}");
        let list = |conditions: Json, most: u64| {
            json!({ "question": "list", "class": null, "conditions": conditions, "text": [], "order": [],
                    "withdrawn": false, "skip": 0, "most": most })
        };
        ask(list(json!(["nonsense"]), 5)).await.problem(400, "BAD_USER_INPUT");
        ask(list(json!([]), 1_000_000)).await.problem(400, "BAD_USER_INPUT");
        ask(json!({ "question": "check", "most": 5, "budget": u64::MAX / 2 })).await.problem(400, "BAD_USER_INPUT");
        ask(json!({ "question": "guess" })).await.problem(400, "BAD_USER_INPUT");
        let past = json!({ "question": { "question": "path", "from": "host/hv1", "to": "host/hv2" },
                           "asOf": { "time": "1999-01-01T00:00:00Z" } });
        server.ask(&past).await.problem(400, "BAD_USER_INPUT");
        for body in ["", "{", "[]", "nonsense"] {
            let reply = server.send("POST", "/questions", &[("content-type", "application/json")], body).await;
            let code = if body == "[]" { "BAD_USER_INPUT" } else { "UNSUPPORTED_REQUEST" };
            reply.problem(400, code);
        }
    });
}
