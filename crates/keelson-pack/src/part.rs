//! The part of a document that is about one request.

use keelson_answers::change::{ChangeAnswer, ChangeLine, Picture};
use keelson_report::document::{Id, Section};
use keelson_report::zone::Zone;

use crate::{
    ChangeInput, RequestInput, Since, basics, calendar, clashes, impact, loads, proofs, questions, since, verdicts,
};

/// One request, and where it stands in the document.
pub(crate) struct Part<'a> {
    pub(crate) answer: &'a ChangeAnswer,
    pub(crate) picture: Option<&'a Picture>,
    pub(crate) since: Option<&'a Since>,
    pub(crate) others: &'a [ChangeLine],
    pub(crate) zone: Zone,
    /// The number on the agenda of a meeting; absent when the document is about this request alone.
    number: Option<usize>,
}

impl<'a> Part<'a> {
    /// The only request of a document.
    pub(crate) fn alone(input: &ChangeInput<'a>) -> Self {
        let RequestInput { answer, picture, since } = input.request;
        Self { answer, picture, since, others: input.others, zone: input.zone, number: None }
    }

    /// A request on the agenda of a meeting.
    pub(crate) fn of_meeting(request: &RequestInput<'a>, number: usize, zone: Zone) -> Self {
        let RequestInput { answer, picture, since } = *request;
        Self { answer, picture, since, others: &[], zone, number: Some(number) }
    }

    /// Whether the document is about a meeting, which draws all collisions on one timeline.
    pub(crate) fn is_of_meeting(&self) -> bool {
        self.number.is_some()
    }

    /// The request as people call it.
    pub(crate) fn key(&self) -> &'a str {
        &self.answer.change.key
    }

    /// The name of the file of a table or figure.
    pub(crate) fn file(&self, name: &str) -> String {
        if self.is_of_meeting() { format!("{name}-{}", self.key()) } else { name.to_owned() }
    }

    /// The id of a section, for links.
    pub(crate) fn id(&self, name: &str) -> Id {
        match self.number {
            Some(number) => Id::new(&format!("r{number}-{name}")),
            None => Id::new(name),
        }
    }

    /// Starts a section. In a meeting its title names the request, so that no two sections are called alike.
    pub(crate) fn section(&self, name: &str, title: &str) -> Section {
        let section = if self.is_of_meeting() {
            Section::new(format!("{}: {}", self.key(), title.to_lowercase())).level(2)
        } else {
            Section::new(title)
        };
        section.id(self.id(name).as_str())
    }

    /// What a caption ends with, since every part says which revision it is about.
    pub(crate) fn stamp(&self) -> String {
        format!("{}, revision {}", self.key(), self.answer.basis.revision.0)
    }

    /// Everything below the half page to decide by.
    pub(crate) fn sections(&self) -> Vec<Section> {
        let mut sections = vec![verdicts::section(self)];
        sections.extend(loads::section(self));
        sections.push(proofs::section(self));
        if !self.is_of_meeting() {
            sections.extend([clashes::collisions(self), calendar::section(self)]);
        }
        sections.push(impact::section(self));
        sections.extend(basics::sections(self));
        sections.extend([since::section(self), questions::section(self)]);
        sections
    }
}
