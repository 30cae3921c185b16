//! Change management over GraphQL: requests by two people, schedules, the calendar, disruptions, templates,
//! baselines.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use crate::common::{Place, each, run};

const REQUEST: &str = "id key version state requester approval { by assessment { isComplete isMajor } } \
    gate { isOpen reasons { field code message } }";

/// A mutation as somebody, with its payload.
async fn act(place: &Place, who: &str, name: &str, wanted: &str, input: Json) -> Json {
    let pascal = name[..1].to_uppercase() + &name[1..];
    let query = format!(
        "mutation($input: {pascal}Input!) {{ {name}(input: $input) {{ {wanted} userErrors {{ code field message \
         currentVersion }} }} }}"
    );
    place.data_as(who, &query, json!({ "input": input })).await[name].clone()
}

/// A step of a request that must be taken; gives the request.
async fn step(place: &Place, who: &str, name: &str, input: Json) -> Json {
    let done = act(place, who, name, &format!("requestForChange {{ {REQUEST} }}"), input).await;
    assert_eq!(done["userErrors"], json!([]), "{name}: {done:#}");
    done["requestForChange"].clone()
}

/// A step of a request that must be refused; gives the first reason.
async fn refused(place: &Place, who: &str, name: &str, input: Json) -> Json {
    let done = act(place, who, name, "requestForChange { id }", input).await;
    assert_eq!(done["requestForChange"], json!(null), "{name}: {done:#}");
    done["userErrors"][0].clone()
}

fn seen(request: &Json) -> Json {
    json!({ "id": request["id"], "expectedVersion": request["version"] })
}

fn with(mut input: Json, field: &str, value: impl Into<Json>) -> Json {
    input[field] = value.into();
    input
}

async fn taking_down(place: &Place, key: &str, start: DateTime<Utc>, hours: i64) -> Json {
    json!({
        "title": format!("patch {key}"),
        "reason": "it is due",
        "team": "platform",
        "alterations": [{ "itemId": place.id(key).await, "action": "TAKES_DOWN" }],
        "window": { "start": start, "end": start + TimeDelta::hours(hours) },
        "rollback": { "plan": "boot the old image", "duration": "PT30M" },
        "verification": "the checks are green",
    })
}

fn later() -> DateTime<Utc> {
    "2031-03-01T20:00:00Z".parse().unwrap()
}

#[test]
fn a_request_goes_from_draft_to_review_through_two_people() {
    run(async {
        let place = Place::with_estate().await;
        let now = Utc::now();
        let content = taking_down(&place, "host/hv2", now - TimeDelta::hours(1), 3).await;
        let made = step(&place, "ana", "createRequestForChange", json!({ "content": content })).await;
        assert_eq!(
            (&made["key"], &made["state"], &made["requester"]),
            (&json!("RFC-1"), &json!("DRAFT"), &json!("ana"))
        );
        let submitted = step(&place, "ana", "submitRequestForChange", seen(&made)).await;
        let conflict = refused(&place, "ana", "assessRequestForChange", seen(&made)).await;
        assert_eq!((&conflict["code"], &conflict["currentVersion"]), (&json!("VERSION_CONFLICT"), &json!(2)));
        assert_eq!(conflict["field"], json!(["expectedVersion"]));
        let assessed = step(&place, "ana", "assessRequestForChange", seen(&submitted)).await;
        assert_eq!(assessed["gate"]["isOpen"], false);
        assert_eq!(assessed["gate"]["reasons"][0]["code"], "ILLEGAL_TRANSITION");
        let own = refused(&place, "Ana", "approveRequestForChange", seen(&assessed)).await;
        assert_eq!(own["code"], "NOT_ALLOWED", "{own:#}");
        let approved = step(&place, "ben", "approveRequestForChange", seen(&assessed)).await;
        assert_eq!(approved["approval"]["by"], "ben");
        assert_eq!(approved["gate"], json!({ "isOpen": true, "reasons": [] }));
        let scheduled = step(&place, "ben", "scheduleRequestForChange", seen(&approved)).await;
        let started = step(&place, "ana", "startRequestForChange", seen(&scheduled)).await;
        let why = refused(&place, "ana", "finishRequestForChange", seen(&started)).await;
        assert_eq!((&why["code"], &why["field"]), (&json!("MISSING"), &json!(["reason"])), "{why:#}");
        let done =
            step(&place, "ana", "finishRequestForChange", with(seen(&started), "reason", "only restarted")).await;
        let observed = json!([{ "itemId": place.id("service/payments").await, "loss": 0.5, "duration": "PT12M" }]);
        let review = with(with(seen(&done), "isMonitored", true), "lessons", "as predicted");
        let reviewed = step(&place, "ben", "reviewRequestForChange", with(review, "observed", observed)).await;
        assert_eq!(reviewed["state"], "REVIEWED");
        let query = "query($id: ID!) { node(id: $id) { ... on RequestForChange { steps { nodes { to by } } \
            baseline { name isProven items(first: 3) { totalCount nodes { key } } } \
            completion { outcome notShowing { nodes { key } } } \
            review { observed { nodes { item { key } duration } } hasFailed } \
            approval { assessment { effects { nodes { item { key } atWorst } } } } } } }";
        let read = place.data(query, json!({ "id": made["id"] })).await["node"].clone();
        assert_eq!(each(&read["steps"]["nodes"], "/by"), ["ana", "ana", "ana", "ben", "ben", "ana", "ana", "ben"]);
        assert_eq!(read["baseline"]["isProven"], true, "{read:#}");
        assert_eq!(each(&read["completion"]["notShowing"]["nodes"], "/key"), ["host/hv2"]);
        assert_eq!(read["review"]["observed"]["nodes"][0]["duration"], "PT12M");
        let effects = &read["approval"]["assessment"]["effects"]["nodes"];
        let payments = effects.as_array().unwrap().iter().find(|one| one["item"]["key"] == "service/payments").unwrap();
        assert_eq!(payments["atWorst"], "BREACHED");
    });
}

#[test]
fn what_is_wrong_with_a_request_is_said_by_the_fields_of_its_input() {
    run(async {
        let place = Place::with_estate().await;
        let error =
            async |content: Json| refused(&place, "ana", "createRequestForChange", json!({ "content": content })).await;
        let good = taking_down(&place, "host/hv1", later(), 2).await;
        let untitled = error(with(good.clone(), "title", " ")).await;
        assert_eq!((&untitled["code"], &untitled["field"]), (&json!("MISSING"), &json!(["content", "title"])));
        let backwards = json!({ "start": later(), "end": later() });
        let empty = error(with(good.clone(), "window", backwards)).await;
        assert_eq!((&empty["code"], &empty["field"]), (&json!("BAD_VALUE"), &json!(["content", "window"])));
        let odd = error(with(good.clone(), "rollback", json!({ "plan": "x", "duration": "PT90S" }))).await;
        assert_eq!(odd["field"], json!(["content", "rollback", "duration"]));
        let nobody = json!([{ "itemId": "ci_00000000000000000000000000", "action": "RESTARTS" }]);
        let unknown = error(with(good.clone(), "alterations", nobody)).await;
        assert_eq!(unknown["code"], "NOT_FOUND");
        assert_eq!(unknown["field"], json!(["content", "alterations", "0", "itemId"]));
        let lossless = json!([{ "itemId": place.id("host/hv1").await, "action": "DEGRADES" }]);
        let unsaid = error(with(good, "alterations", lossless)).await;
        assert_eq!(unsaid["field"], json!(["content", "alterations", "0", "loss"]));
        let list = place.data("{ requestsForChange { totalCount } }", json!({})).await;
        assert_eq!(list["requestsForChange"]["totalCount"], 0, "what is refused leaves nothing");
        let missing = json!({ "id": "rfc_00000000000000000000000000", "expectedVersion": 1 });
        assert_eq!(refused(&place, "ana", "submitRequestForChange", missing).await["code"], "NOT_FOUND");
    });
}

async fn submitted(place: &Place, key: &str, start: DateTime<Utc>, hours: i64) -> Json {
    let content = taking_down(place, key, start, hours).await;
    let made = step(place, "ana", "createRequestForChange", json!({ "content": content })).await;
    step(place, "ana", "submitRequestForChange", seen(&made)).await
}

const SCHEDULE: &str = "query($input: ChangeScheduleInput!) { changeSchedule(input: $input) { \
    changes { nodes { key alterations { nodes { item { key } action loss } } } } \
    collisions { totalCount nodes { advice collision { service { key } window { start end } changes { key } } \
      smallestShift { change { key } by window { start } leftCount } } } \
    harm { nodes { changes { key } service { key } verdict } } \
    intervals { nodes { changeCount breachedCount } } completeness { isComplete revision { number } } } }";

#[test]
fn colliding_changes_are_found_with_the_smallest_shift() {
    run(async {
        let place = Place::with_estate().await;
        let (first, second) = (
            submitted(&place, "host/hv1", later(), 2).await,
            submitted(&place, "host/hv2", later() + TimeDelta::hours(1), 2).await,
        );
        let times = json!({ "from": later() - TimeDelta::days(1), "to": later() + TimeDelta::days(1) });
        let schedule = place.data(SCHEDULE, json!({ "input": times })).await["changeSchedule"].clone();
        assert_eq!(each(&schedule["changes"]["nodes"], "/key"), ["RFC-1", "RFC-2"], "{schedule:#}");
        let collisions = schedule["collisions"]["nodes"].as_array().unwrap();
        let portal = collisions.iter().find(|one| one["collision"]["service"]["key"] == "service/portal").unwrap();
        assert_eq!(each(&portal["collision"]["changes"], "/key"), ["RFC-1", "RFC-2"]);
        assert_eq!(portal["collision"]["window"]["start"], json!((later() + TimeDelta::hours(1)).to_rfc3339()));
        assert!(portal["advice"].as_str().unwrap().contains("move"), "{portal:#}");
        let by = portal["smallestShift"]["by"].as_str().unwrap();
        assert_eq!(by, "PT1H", "{portal:#}");
        let harm = schedule["harm"]["nodes"].as_array().unwrap();
        assert!(
            harm.iter().any(|one| one["changes"][0]["key"] == "RFC-2" && one["service"]["key"] == "service/payments")
        );
        let alone = with(times, "only", json!([first["id"]]));
        let schedule = place.data(SCHEDULE, json!({ "input": alone })).await["changeSchedule"].clone();
        assert_eq!(schedule["collisions"]["totalCount"], 0, "{schedule:#}");
        let impact = "query($id: ID!) { requestForChange(by: { id: $id }) { impact { isMajor summary { breached } \
            services { nodes { item { key } effect isCertain because { need } proof { because } } } \
            collisions { nodes { service { key } } } assessedWith { nodes { key } } smallestShift { by } \
            certainty { unknownCount } risk { failure like withoutValueCount } violations { totalCount } \
            approvers { totalCount } customers { totalCount } startingState { totalCount } \
            completeness { isComplete } } } }";
        let impact = place.data(impact, json!({ "id": second["id"] })).await["requestForChange"]["impact"].clone();
        let services = impact["services"]["nodes"].as_array().unwrap();
        assert_eq!(
            (&services[0]["item"]["key"], &services[0]["effect"]),
            (&json!("service/payments"), &json!("BREACHED"))
        );
        assert_eq!(services[0]["because"]["need"], "web pool");
        assert_eq!(each(&impact["assessedWith"]["nodes"], "/key"), ["RFC-1"]);
        assert!(!impact["smallestShift"]["by"].as_str().unwrap().is_empty());
        let backwards = json!({ "from": later(), "to": later() });
        assert_eq!(place.code(SCHEDULE, json!({ "input": backwards })).await, "BAD_USER_INPUT");
        let nobody =
            json!({ "from": later(), "to": later() + TimeDelta::days(1), "only": ["rfc_00000000000000000000000000"] });
        assert_eq!(place.code(SCHEDULE, json!({ "input": nobody })).await, "NOT_FOUND");
    });
}

#[test]
fn requests_are_found_filtered_sorted_and_read_as_they_were() {
    run(async {
        let place = Place::with_estate().await;
        let first = submitted(&place, "host/hv1", later(), 2).await;
        submitted(&place, "host/hv2", later() - TimeDelta::days(7), 2).await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let before = Utc::now();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        step(&place, "ben", "rejectRequestForChange", with(seen(&first), "reason", "not in March")).await;
        let state = "query($at: DateTime) { requestForChange(by: { key: \"rfc-1\" }, asOf: $at) { state version \
            revision { action actor reason } gate { reasons { code } } } }";
        let read = async |at: Json| place.data(state, json!({ "at": at })).await["requestForChange"].clone();
        let now = read(json!(null)).await;
        assert_eq!((&now["state"], &now["version"]), (&json!("REJECTED"), &json!(3)));
        assert_eq!(now["revision"]["reason"], "not in March");
        let then = read(json!(before)).await;
        assert_eq!((&then["state"], &then["version"]), (&json!("SUBMITTED"), &json!(2)), "{then:#}");
        let keys = async |arguments: &str| {
            let query = format!("{{ requestsForChange({arguments}) {{ nodes {{ key }} }} }}");
            each(&place.data(&query, json!({})).await["requestsForChange"]["nodes"], "/key")
        };
        assert_eq!(keys("first: 5").await, ["RFC-2", "RFC-1"]);
        assert_eq!(keys("orderBy: [{ field: KEY }]").await, ["RFC-1", "RFC-2"]);
        assert_eq!(keys("orderBy: [{ field: WINDOW_START }]").await, ["RFC-2", "RFC-1"]);
        assert_eq!(keys("where: { states: [REJECTED] }").await, ["RFC-1"]);
        assert_eq!(keys("where: { isOpen: true }").await, ["RFC-2"]);
        assert_eq!(keys("where: { categories: [EMERGENCY] }").await, Vec::<String>::new());
        assert_eq!(keys("where: { text: \"HV2 due\", requester: { eq: \"ana\" } }").await, ["RFC-2"]);
        let march = "where: { overlaps: { start: \"2031-03-01T21:00:00Z\", end: \"2031-03-02T00:00:00Z\" } }";
        assert_eq!(keys(march).await, ["RFC-1"]);
        let page = "query($after: String) { requestsForChange(first: 1, after: $after) { nodes { key } \
            pageInfo { endCursor hasNextPage } } }";
        let one = place.data(page, json!({})).await["requestsForChange"].clone();
        let two = place.data(page, json!({ "after": one["pageInfo"]["endCursor"] })).await["requestsForChange"].clone();
        assert_eq!(
            (each(&one["nodes"], "/key"), each(&two["nodes"], "/key")),
            (vec!["RFC-2".into()], vec!["RFC-1".into()])
        );
        assert_eq!(two["pageInfo"]["hasNextPage"], false);
    });
}

#[test]
fn judging_by_hand_and_altering_take_a_request_back() {
    run(async {
        let place = Place::with_estate().await;
        let request = submitted(&place, "host/hv2", later(), 2).await;
        let assessed = step(&place, "ana", "assessRequestForChange", seen(&request)).await;
        let payments = place.id("service/payments").await;
        let judged = with(with(seen(&assessed), "itemId", payments), "reason", "runs at the other site that night");
        let judged = step(&place, "ana", "markNotImpacted", judged).await;
        assert_eq!(judged["state"], "SUBMITTED");
        let read = "{ requestForChange(by: { key: \"RFC-1\" }) { notImpacted { nodes { item { key } by } } \
            impact { summary { breached } } } }";
        let read = place.data(read, json!({})).await["requestForChange"].clone();
        assert_eq!(each(&read["notImpacted"]["nodes"], "/item/key"), ["service/payments"]);
        assert_eq!(read["impact"]["summary"]["breached"], 0, "{read:#}");
        let content = taking_down(&place, "host/hv1", later(), 1).await;
        let altered = step(&place, "ana", "updateRequestForChange", with(seen(&judged), "content", content)).await;
        assert_eq!(altered["state"], "SUBMITTED");
        let cancelled = with(seen(&altered), "reason", "no longer needed");
        assert_eq!(step(&place, "ana", "cancelRequestForChange", cancelled).await["state"], "CANCELLED");
    });
}

#[test]
fn freezes_and_disruptions_take_part_and_are_ended_once() {
    run(async {
        let place = Place::with_estate().await;
        let entry = "calendarEntry { id version name isLifted isForEveryService items { nodes { key } } \
            recurrence { rule zone } occurrences(from: \"2031-02-27T00:00:00Z\", to: \"2031-03-10T00:00:00Z\") { \
            hasMore windows { start end } } }";
        let freeze = json!({
            "name": "Quarter end", "kind": "FREEZE", "reason": "books are closed",
            "itemIds": [place.id("service/payments").await],
            "window": { "start": "2031-02-22T18:00:00Z", "end": "2031-02-23T02:00:00Z" },
            "recurrence": { "rule": "FREQ=WEEKLY", "zone": "Europe/Berlin" },
        });
        let made = act(&place, "ana", "createCalendarEntry", entry, freeze.clone()).await;
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        let frozen = made["calendarEntry"].clone();
        assert_eq!(each(&frozen["occurrences"]["windows"], "/start").len(), 2, "{frozen:#}");
        let again = act(&place, "ana", "createCalendarEntry", entry, freeze).await;
        assert_eq!(
            (&again["userErrors"][0]["code"], &again["userErrors"][0]["field"]),
            (&json!("DUPLICATE_KEY"), &json!(["name"]))
        );

        let request = submitted(&place, "host/hv2", later(), 2).await;
        let violations = "{ requestForChange(by: { key: \"RFC-1\" }) { impact { violations { nodes { entry item { key } \
            message } } calendar { nodes { entry { name } windows { start } hasMore } } \
            loads { totalCount nodes { item { key } need memberCount lost { key } peak unit hasProfile fallsShort spanCount \
            spans { from until load required margin delivered } } } startingState { nodes { item { key } reference } } } } }";
        let impact = place.data(violations, json!({})).await["requestForChange"]["impact"].clone();
        assert_eq!(each(&impact["violations"]["nodes"], "/entry"), ["Quarter end"]);
        let in_force = &impact["calendar"]["nodes"][0];
        assert_eq!((&in_force["entry"]["name"], &in_force["hasMore"]), (&json!("Quarter end"), &json!(false)));
        assert_eq!(in_force["windows"].as_array().unwrap().len(), 1, "{in_force:#}");
        let assessed = step(&place, "ana", "assessRequestForChange", seen(&request)).await;
        let violated = refused(&place, "ben", "approveRequestForChange", seen(&assessed)).await;
        assert_eq!(violated["code"], "CALENDAR_VIOLATED", "{violated:#}");

        let stale = json!({ "id": frozen["id"], "expectedVersion": 7 });
        let lifted = act(&place, "ana", "liftCalendarEntry", entry, stale).await;
        assert_eq!(
            (&lifted["userErrors"][0]["code"], &lifted["userErrors"][0]["currentVersion"]),
            (&json!("VERSION_CONFLICT"), &json!(1))
        );
        let lifted = act(&place, "ana", "liftCalendarEntry", entry, seen(&frozen)).await;
        assert_eq!(lifted["calendarEntry"]["isLifted"], true, "{lifted:#}");
        let twice = act(&place, "ana", "liftCalendarEntry", entry, with(seen(&frozen), "expectedVersion", 2)).await;
        assert_eq!(twice["userErrors"][0]["code"], "ILLEGAL_TRANSITION");

        let disruption = "disruption { id version isOpen item { key } description by }";
        let down = json!({ "itemId": place.id("host/hv1").await, "kind": "INCIDENT", "reference": "INC-7",
            "start": later(), "description": "its power supply died" });
        let reported = act(&place, "ana", "reportDisruption", disruption, down).await["disruption"].clone();
        assert_eq!((&reported["isOpen"], &reported["item"]["key"]), (&json!(true), &json!("host/hv1")), "{reported:#}");
        let impact = place.data(violations, json!({})).await["requestForChange"]["impact"].clone();
        assert_eq!(each(&impact["startingState"]["nodes"], "/reference"), ["INC-7"]);
        let early = act(&place, "ana", "endDisruption", disruption, seen(&reported)).await;
        assert_eq!(
            (&early["userErrors"][0]["code"], &early["userErrors"][0]["field"]),
            (&json!("BAD_VALUE"), &json!(["end"]))
        );
        let over = with(seen(&reported), "end", json!(later() + TimeDelta::minutes(10)));
        let ended = act(&place, "ana", "endDisruption", disruption, over).await;
        assert_eq!(ended["disruption"]["version"], 2, "{ended:#}");
        let lists = "{ calendar(where: { isLifted: true }) { nodes { name } } disruptions(where: { kind: INCIDENT }) { \
            totalCount } }";
        let lists = place.data(lists, json!({})).await;
        assert_eq!(
            (&lists["calendar"]["nodes"][0]["name"], &lists["disruptions"]["totalCount"]),
            (&json!("Quarter end"), &json!(1))
        );
    });
}

#[test]
fn templates_are_approved_by_somebody_else_as_they_were_seen() {
    run(async {
        let place = Place::with_estate().await;
        let wanted = "changeTemplate { id version isUsable longestWindow actions { action largestLoss } approvedBy }";
        let input = json!({
            "name": "restart", "title": "restart a host", "classes": ["host"], "verification": "it answers",
            "actions": [{ "action": "RESTARTS" }], "longestWindow": "PT1H",
            "rollback": { "plan": "start it by hand", "duration": "PT10M" },
        });
        let put = act(&place, "ana", "putChangeTemplate", wanted, input.clone()).await["changeTemplate"].clone();
        assert_eq!(
            (&put["version"], &put["isUsable"], &put["longestWindow"]),
            (&json!(1), &json!(false), &json!("PT1H"))
        );
        let unseen = act(&place, "ben", "putChangeTemplate", wanted, input.clone()).await;
        assert_eq!(unseen["userErrors"][0]["code"], "VERSION_CONFLICT", "{unseen:#}");
        let anew = act(&place, "ana", "putChangeTemplate", wanted, with(input.clone(), "expectedVersion", 1)).await;
        assert_eq!(anew["changeTemplate"]["version"], 2, "{anew:#}");
        let outdated = act(&place, "ben", "approveChangeTemplate", wanted, seen(&put)).await;
        assert_eq!(outdated["userErrors"][0]["code"], "VERSION_CONFLICT", "{outdated:#}");
        let own = act(&place, "ana", "approveChangeTemplate", wanted, seen(&anew["changeTemplate"])).await;
        assert_eq!(own["userErrors"][0]["code"], "NOT_ALLOWED");
        let approved = act(&place, "ben", "approveChangeTemplate", wanted, seen(&anew["changeTemplate"])).await;
        assert_eq!(approved["changeTemplate"]["isUsable"], true, "{approved:#}");
        let toaster = act(&place, "ana", "putChangeTemplate", wanted, with(input, "classes", json!(["toaster"]))).await;
        assert_eq!(toaster["userErrors"][0]["code"], "VERSION_CONFLICT");
        let list = place.data("{ changeTemplates { nodes { id name } } }", json!({})).await["changeTemplates"].clone();
        assert_eq!(list["nodes"], json!([{ "id": put["id"], "name": "restart" }]));
        let node = place.data("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": put["id"] })).await;
        assert_eq!(node["node"]["__typename"], "ChangeTemplate");
    });
}

#[test]
fn baselines_are_proven_and_compared() {
    run(async {
        let place = Place::with_estate().await;
        let wanted = "baseline { id name digest chosen items { totalCount } }";
        let input = json!({ "name": "before", "items": { "withDependenciesOf": [place.id("service/portal").await] } });
        let taken = act(&place, "ana", "takeBaseline", wanted, input.clone()).await;
        assert_eq!(taken["userErrors"], json!([]), "{taken:#}");
        let again = act(&place, "ana", "takeBaseline", wanted, input).await;
        assert_eq!(again["userErrors"][0]["code"], "DUPLICATE_KEY");
        let host = place.data("{ configurationItem(by: { key: \"host/hv1\" }) { id version } }", json!({})).await;
        let rename = "mutation($input: UpdateConfigurationItemInput!) { updateConfigurationItem(input: $input) { \
            userErrors { message } } }";
        let input = with(seen(&host["configurationItem"]), "name", "hypervisor one");
        place.data(rename, json!({ "input": input })).await;
        let compare = "query($input: CompareBaselinesInput!) { compareBaselines(input: $input) { differentCount \
            earlier { baseline { name } itemCount } later { baseline { name } revision { number } } \
            items { nodes { item { key } held recordCount records { what changes { field } } } } \
            completeness { isComplete } } }";
        let input = json!({ "earlier": { "name": "before" } });
        let answer = place.data(compare, json!({ "input": input })).await["compareBaselines"].clone();
        assert_eq!((&answer["differentCount"], &answer["later"]["baseline"]), (&json!(1), &json!(null)), "{answer:#}");
        assert_eq!(answer["items"]["nodes"][0]["item"]["key"], "host/hv1");
        assert_eq!(answer["items"]["nodes"][0]["held"], "BOTH");
        let proven = "query($id: ID!) { baseline(by: { id: $id }) { isProven revision { number } by } baselines { \
            nodes { name } } }";
        let proven = place.data(proven, json!({ "id": taken["baseline"]["id"] })).await;
        assert_eq!((&proven["baseline"]["isProven"], &proven["baseline"]["by"]), (&json!(true), &json!("ana")));
        let input = json!({ "earlier": { "name": "after" } });
        assert_eq!(place.code(compare, json!({ "input": input })).await, "NOT_FOUND");
    });
}

#[test]
fn analyses_on_a_page_of_requests_have_their_price() {
    run(async {
        let place = Place::empty().await;
        let cost = async |query: &str| {
            let got = place.post(&json!({ "query": query })).await;
            got.json["extensions"]["cost"]["requested"].as_u64().unwrap()
        };
        assert!(cost("{ requestsForChange(first: 3) { nodes { key } } }").await < 10);
        assert!(cost("{ requestsForChange(first: 3) { nodes { gate { isOpen } } } }").await > 1_500);
        let many = "{ requestsForChange(first: 100) { nodes { gate { isOpen } } } }";
        assert_eq!(place.code(many, json!({})).await, "COMPLEXITY_EXCEEDED");
    });
}
