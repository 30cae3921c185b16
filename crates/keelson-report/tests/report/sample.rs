//! A pack for a board, as another crate would build it; what the files in `golden/` show.

use chrono::{DateTime, Utc};
use keelson_report::document::{Cell, Definition, Document, Note, Proof, Section, Severity, Table, Text};
use keelson_report::drawing::{Drawing, Item, Relationship, State};
use keelson_report::ics::{Calendar, Event, Status};
use keelson_report::timeline::{Band, BandKind, Change, Collision, Interval, Timeline, Violation};
use keelson_report::zone::Zone;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn interval(start: &str, end: &str) -> Interval {
    Interval::new(at(start), at(end)).unwrap()
}

pub(crate) fn item(id: &str, class: &str, state: State) -> Item {
    Item { id: id.to_owned(), label: id.to_owned(), class: class.to_owned(), state, group: None }
}

/// Two data centres of hypervisors; one of them is changed.
pub(crate) fn estate() -> Drawing {
    let mut drawing = Drawing::new("Impact of CHG-2041");
    let items = [
        ("payments", "service", State::Breached),
        ("online shop", "service", State::Degraded),
        ("intranet", "service", State::Protected),
        ("reporting", "service", State::AtRisk),
        ("web pool", "load-balancer-pool", State::Breached),
        ("shop front", "application", State::Degraded),
        ("portal", "application", State::Protected),
        ("ledger db", "database", State::Lost),
        ("warehouse db", "database", State::AtRisk),
        ("web1", "virtual-machine", State::Neutral),
        ("web2", "virtual-machine", State::Lost),
        ("web3", "virtual-machine", State::Lost),
        ("db1", "virtual-machine", State::Lost),
        ("db2", "virtual-machine", State::Neutral),
        ("hv1", "hypervisor", State::Neutral),
        ("hv2", "hypervisor", State::Changed),
        ("core switch a", "network-switch", State::Neutral),
        ("identity", "service", State::Protected),
        ("ldap", "application", State::Protected),
    ];
    for (id, class, state) in items {
        drawing.item(item(id, class, state));
    }
    let two_of_three = "needs 2 of 3";
    for (dependent, dependency, proof, need) in [
        ("payments", "web pool", true, "needs all"),
        ("payments", "ledger db", true, "needs all"),
        ("payments", "identity", false, "needs all"),
        ("online shop", "shop front", true, "needs all"),
        ("online shop", "payments", true, "may do without"),
        ("intranet", "portal", false, "needs all"),
        ("intranet", "identity", false, "needs all"),
        ("reporting", "warehouse db", true, "needs 1 of 2"),
        ("reporting", "ledger db", true, "needs 1 of 2"),
        ("web pool", "web1", false, two_of_three),
        ("web pool", "web2", true, two_of_three),
        ("web pool", "web3", true, two_of_three),
        ("shop front", "web pool", true, "needs all"),
        ("portal", "web1", false, "needs 1 of 2"),
        ("portal", "web2", false, "needs 1 of 2"),
        ("ledger db", "db1", true, "needs all"),
        ("warehouse db", "db2", false, "needs all"),
        ("web1", "hv1", false, ""),
        ("web2", "hv2", true, ""),
        ("web3", "hv2", true, ""),
        ("db1", "hv2", true, ""),
        ("db2", "hv1", false, ""),
        ("hv1", "core switch a", false, ""),
        ("hv2", "core switch a", false, ""),
        ("identity", "ldap", false, ""),
        ("ldap", "db2", false, ""),
        ("ldap", "identity", false, ""),
    ] {
        let relationship = Relationship { in_proof: proof, ..Relationship::new(dependent, dependency) };
        drawing.relationship(Relationship {
            need: Some(need.to_owned()).filter(|need| !need.is_empty()),
            label: (dependency == "hv2").then(|| "runs on".to_owned()),
            ..relationship
        });
    }
    drawing
}

pub(crate) fn schedule() -> Timeline {
    let mut timeline = Timeline::new("Changes of week 10", "Europe/Berlin".parse::<Zone>().unwrap());
    for (id, label, start, end, back) in [
        ("CHG-2041", "Firmware of hv2", "2026-03-06T20:00:00Z", "2026-03-06T23:00:00Z", Some("2026-03-07T00:30:00Z")),
        ("CHG-2044", "Patch the web pool", "2026-03-06T22:00:00Z", "2026-03-07T01:00:00Z", None),
        ("CHG-2039", "New certificates for the portal", "2026-03-05T18:00:00Z", "2026-03-05T18:30:00Z", None),
        (
            "CHG-2050",
            "Move the warehouse to new storage in the second hall",
            "2026-03-07T08:00:00Z",
            "2026-03-08T04:00:00Z",
            Some("2026-03-08T10:00:00Z"),
        ),
        ("CHG-2051", "Switch a: replace fan", "2026-03-08T08:00:00Z", "2026-03-08T09:30:00Z", None),
    ] {
        timeline.change(Change {
            id: id.to_owned(),
            label: label.to_owned(),
            window: interval(start, end),
            backed_out_by: back.map(at),
            verdict: (id == "CHG-2050").then(|| (Severity::Caution, "margin lost".to_owned())),
        });
    }
    timeline.band(Band {
        kind: BandKind::Maintenance,
        label: "Nights of the warehouse".to_owned(),
        times: (5..9)
            .map(|day| interval(&format!("2026-03-0{day}T22:00:00Z"), &format!("2026-03-0{}T03:00:00Z", day + 1)))
            .collect(),
    });
    timeline.band(Band {
        kind: BandKind::Freeze,
        label: "End of quarter, finance".to_owned(),
        times: vec![interval("2026-03-07T23:00:00Z", "2026-03-09T23:00:00Z")],
    });
    timeline.violation(Violation {
        change: "CHG-2050".to_owned(),
        during: interval("2026-03-07T23:00:00Z", "2026-03-08T04:00:00Z"),
        reason: "payments loses 1 of its redundancy during the freeze 'End of quarter, finance'".to_owned(),
    });
    timeline.collision(Collision {
        changes: vec!["CHG-2041".to_owned(), "CHG-2044".to_owned()],
        during: interval("2026-03-06T22:00:00Z", "2026-03-07T00:30:00Z"),
        reason: "both take members of the web pool: 1 of 3 would be left where 2 are needed".to_owned(),
    });
    timeline.collision(Collision {
        changes: vec!["CHG-2050".to_owned(), "CHG-2051".to_owned()],
        during: interval("2026-03-08T08:00:00Z", "2026-03-08T09:30:00Z"),
        reason: "the switch carries the storage while it may be backed out".to_owned(),
    });
    timeline
}

fn verdicts() -> Table {
    let mut table = Table::new("verdicts", "What becomes of services between 21:00 and 00:00")
        .naming_column("Service")
        .column("Verdict")
        .number_column("Hours")
        .column("Reason")
        .column("Margin")
        .column("Owner")
        .column("Customers");
    for (service, state, hours, reason, margin, owner, customers) in [
        (
            "payments",
            State::Breached,
            "3.0",
            "2 of 3 web servers are lost where 2 are needed; ledger db is lost",
            "\u{2212}1 member",
            "A. Okafor",
            "Retail, Partners (214 contracts)",
        ),
        (
            "online shop",
            State::Degraded,
            "3.0",
            "payments is breached; the shop can do without",
            "none",
            "M. Lindqvist",
            "Retail",
        ),
        (
            "reporting",
            State::AtRisk,
            "3.0",
            "1 of 2 databases is left where 1 is needed",
            "0 members",
            "J. Brandt",
            "Finance",
        ),
        (
            "intranet",
            State::Protected,
            "0.0",
            "1 of 2 portal servers is left where 1 is needed",
            "1 member",
            "S. Novak",
            "Staff",
        ),
        ("identity", State::Protected, "0.0", "not reached by what is lost", "2 members", "S. Novak", "All"),
    ] {
        let cells: [Cell; 7] = [
            service.into(),
            Cell::state(state),
            hours.into(),
            reason.into(),
            margin.into(),
            owner.into(),
            customers.into(),
        ];
        table.push(Some(state.severity()), cells);
    }
    table
}

fn proofs() -> Section {
    let proof = Proof::new()
        .line(0, Text::new().strong("payments").plain(" is breached"))
        .line(1, Text::new().code("payments <- web pool").plain(": needs all of 3"))
        .line(2, Text::new().code("web pool <- web1, web2, web3").plain(": needs 2 of 3, has 1"))
        .line(3, Text::new().code("web2 <- hv2").plain(": runs on, source ").emphasis("vcenter"))
        .line(3, Text::new().code("web3 <- hv2").plain(": runs on, source ").emphasis("vcenter"))
        .line(1, Text::new().code("payments <- ledger db").plain(": needs all of 3"))
        .line(2, Text::new().code("ledger db <- db1 <- hv2").plain(": needs it"));
    Section::new("Proofs").paragraph("Each line needs what is set in below it.").block(proof)
}

pub(crate) fn pack() -> Document {
    let drawn = estate().draw();
    let timeline = schedule();
    let compared = Table::new("differences", "Against the pack of 26 February, revision 40 981")
        .naming_column("What")
        .column("Then")
        .column("Now")
        .row(Some(Severity::Serious), ["payments".into(), "margin lost".into(), "breached".into()])
        .row(Some(Severity::Good), ["intranet".into(), "degraded".into(), "protected".into()])
        .row(None, ["configuration items reached".into(), "17".into(), "19".into()]);
    let proofs = proofs();
    let facts = vec![
        Definition { term: "Window".into(), meaning: "Fri 6 March 21:00 until Sat 7 March 00:00 Europe/Berlin".into() },
        Definition { term: "Back-out".into(), meaning: "90 minutes, decided by 23:00".into() },
        Definition { term: "Type".into(), meaning: "normal".into() },
    ];
    Document::new("CHG-2041: firmware of hv2")
        .subtitle("Pack for the change advisory board, Thursday 5 March 2026")
        .fact("Revision", "41 207")
        .fact("As of", "2026-03-04 16:00 UTC")
        .fact("Digest", Text::new().code("sha256:9f2c41d07be5"))
        .fact("Completeness", "4 of 5 sources current; gitlab is 26 hours old")
        .section(
            Section::new("Summary")
                .paragraph(
                    Text::new()
                        .plain("The change takes ")
                        .code("hv2")
                        .plain(" for three hours. ")
                        .strong("One service is breached")
                        .plain(", one degraded, one loses its margin. The reasons are under ")
                        .to_section("Proofs", proofs.section_id())
                        .plain("; the runbook is at ")
                        .link("the wiki", "https://wiki.example.com/chg/2041?view=full&print=1")
                        .plain("."),
                )
                .block(Note {
                    severity: Severity::Critical,
                    text: "As planned, payments falls short of its contract for 3.0 hours.".into(),
                })
                .block(Note {
                    severity: Severity::Caution,
                    text: "One source is older than a day; what it says about pipelines may have changed.".into(),
                })
                .block(facts),
        )
        .section(Section::new("Verdicts").block(verdicts()))
        .section(proofs)
        .section(Section::new("Impact drawing").block(drawn.figure("impact")))
        .section(Section::new("What the boxes hold").level(2).block(drawn.table("impact-boxes")))
        .section(
            Section::new("Collisions")
                .on_new_page()
                .block(timeline.draw().figure("timeline"))
                .block(timeline.table("collisions")),
        )
        .section(Section::new("Differences since last time").block(compared))
        .section(Section::new("Open questions").numbered([
            "May web3 run on hv1 for the evening? Then payments holds.",
            "Who decides at 23:00 about backing out?",
        ]))
}

pub(crate) fn calendar() -> Calendar {
    Calendar {
        name: "Changes of week 10".to_owned(),
        events: vec![Event {
            uid: "CHG-2041@cmdb.example.com".to_owned(),
            stamp: at("2026-03-04T16:00:00Z"),
            start: at("2026-03-06T20:00:00Z"),
            end: at("2026-03-06T23:00:00Z"),
            summary: "CHG-2041: firmware of hv2; payments, online shop".to_owned(),
            description: Some(
                "Breached: payments\nDegraded: online shop\nBack out by 00:30, decided by 23:00".to_owned(),
            ),
            categories: vec!["normal change".to_owned(), "breached".to_owned()],
            status: Status::Tentative,
            url: Some("https://wiki.example.com/chg/2041".to_owned()),
            last_modified: Some(at("2026-03-04T15:12:00Z")),
            sequence: 3,
        }],
    }
}
