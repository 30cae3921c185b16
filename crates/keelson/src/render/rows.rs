//! The main list of each answer as rows, for NDJSON and CSV.

use keelson_app::HistoryAnswer;
use keelson_app::answers::check::CheckAnswer;
use keelson_app::answers::impact::ImpactAnswer;
use keelson_app::answers::items::{ItemAnswer, ListAnswer};
use keelson_app::answers::walk::{PathAnswer, WalkAnswer};
use serde_json::Value as Json;

use super::plain;
use crate::output::{Rows, documents};

impl Rows for ListAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["key", "class", "name", "standing", "lifecycle", "criticality", "sources", "last_seen", "id"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |item: &keelson_app::answers::items::ItemLine| {
            vec![
                item.subject.key.clone(),
                item.subject.class.clone(),
                item.subject.name.clone(),
                item.standing.to_string(),
                item.lifecycle.to_string(),
                item.criticality.map(|criticality| criticality.to_string()).unwrap_or_default(),
                item.sources.join("+"),
                item.last_seen.map(|time| time.to_rfc3339()).unwrap_or_default(),
                item.id.clone(),
            ]
        };
        self.items.iter().map(row).collect()
    }

    fn documents(&self) -> Vec<Json> {
        documents(&self.items)
    }
}

impl Rows for ItemAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["key", "attribute", "value", "source"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let key = &self.line.subject.key;
        let row = |(name, line): (&String, &keelson_app::answers::items::AttributeLine)| {
            vec![key.clone(), name.clone(), plain(&line.value), line.source.clone().unwrap_or_default()]
        };
        self.attributes.iter().map(row).collect()
    }

    fn documents(&self) -> Vec<Json> {
        documents(std::slice::from_ref(self))
    }
}

impl Rows for HistoryAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["revision", "at", "actor", "action", "source", "reason", "record", "what", "field", "before", "after"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for entry in &self.entries {
            for change in &entry.changes {
                rows.push(vec![
                    entry.revision.to_string(),
                    entry.at.to_rfc3339(),
                    entry.actor.clone(),
                    entry.action.clone(),
                    entry.source.clone().unwrap_or_default(),
                    entry.reason.clone().unwrap_or_default(),
                    entry.record.clone(),
                    plain(&serde_json::to_value(entry.what).unwrap_or_default()),
                    change.field.clone(),
                    plain(&change.before),
                    plain(&change.after),
                ]);
            }
        }
        rows
    }

    fn documents(&self) -> Vec<Json> {
        documents(&self.entries)
    }
}

impl Rows for ImpactAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["key", "class", "name", "criticality", "verdict", "loss", "need", "rule", "k", "of", "members"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let line = |subject: &keelson_app::answers::Subject| {
            vec![subject.key.clone(), subject.class.clone(), subject.name.clone()]
        };
        let mut rows = Vec::new();
        for item in &self.items {
            let mut row = line(&item.subject);
            row.push(item.criticality.map(|criticality| criticality.to_string()).unwrap_or_default());
            row.push(item.verdict.as_str().to_owned());
            row.push(item.loss.to_string());
            match &item.because {
                Some(because) => row.extend([
                    because.need.name.clone(),
                    because.need.rule.clone(),
                    because.need.k.map(|k| k.to_string()).unwrap_or_default(),
                    because.need.of.to_string(),
                    because.members.join("; "),
                ]),
                None => row.extend(std::iter::repeat_n(String::new(), 5)),
            }
            rows.push(row);
        }
        for held in &self.protected {
            let mut row = line(&held.subject);
            row.push(held.criticality.map(|criticality| criticality.to_string()).unwrap_or_default());
            row.extend(["protected".to_owned(), "0".to_owned()]);
            match &held.by {
                Some(by) => row.extend([
                    by.need.name.clone(),
                    by.need.rule.clone(),
                    by.need.k.map(|k| k.to_string()).unwrap_or_default(),
                    by.need.of.to_string(),
                    by.lost.join("; "),
                ]),
                None => row.extend(std::iter::repeat_n(String::new(), 5)),
            }
            rows.push(row);
        }
        rows
    }

    fn documents(&self) -> Vec<Json> {
        documents(&self.items)
    }
}

impl Rows for WalkAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["distance", "key", "class", "name"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |met: &keelson_app::answers::walk::Met| {
            vec![met.distance.to_string(), met.subject.key.clone(), met.subject.class.clone(), met.subject.name.clone()]
        };
        self.items.iter().map(row).collect()
    }

    fn documents(&self) -> Vec<Json> {
        documents(&self.items)
    }
}

impl Rows for PathAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["step", "key", "class", "name", "need"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(at, step): (usize, &keelson_app::answers::walk::PathStep)| {
            let need = step.need.as_ref().map(|line| line.need.name.clone()).unwrap_or_default();
            vec![at.to_string(), step.subject.key.clone(), step.subject.class.clone(), step.subject.name.clone(), need]
        };
        self.steps.iter().enumerate().map(row).collect()
    }

    fn documents(&self) -> Vec<Json> {
        documents(&self.steps)
    }
}

impl Rows for CheckAnswer {
    fn columns(&self) -> Vec<&'static str> {
        vec!["code", "severity", "key", "message", "related"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |line: &keelson_app::answers::check::CheckLine| {
            vec![
                line.code.as_str().to_owned(),
                line.severity.to_string(),
                line.key.clone(),
                line.message.clone(),
                line.related.join("; "),
            ]
        };
        self.findings.iter().map(row).collect()
    }

    fn documents(&self) -> Vec<Json> {
        documents(&self.findings)
    }
}
