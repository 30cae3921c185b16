//! After the changes: predicted against what happened, whether they failed, and what their like teach
//! (E7).

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use keelson_analysis::Pool;
use keelson_analysis::risk::{Judged, Prior, brier};
use keelson_answers::change::{has_failed, histories};
use keelson_answers::review::{
    self, CellLevel, FailureSuggestion, Figures, Monitoring, RateLine, ReviewScore, ScoreQuestion, TrendsAnswer,
    TrendsQuestion, Verdict,
};
use keelson_answers::{Asked, LimitCode, View, schedule};
use keelson_change::Policy;
use keelson_change::records::DisruptionFields;
use keelson_model::{
    Approval, ChangeState, Completion, Digest, DisruptionKind, Effect, EffectOn, FrozenAssessment, ObservedLoss,
    RecordChange, RequestForChange, ReviewRecord, Revision,
};
use keelson_testkit::minutes;

const DAY: i64 = 24 * 60;

/// What became of a request, in the words of a test. Its work lasts an hour.
#[derive(Clone, Copy)]
struct Past<'a> {
    /// The item it took down.
    down: &'a str,
    team: Option<&'a str>,
    template: Option<&'a str>,
    /// Services it was to harm.
    predicted: &'a [&'a str],
    /// Minutes from midnight at which the work began.
    start: i64,
    backed_out: bool,
    review: Option<Review<'a>>,
}

#[derive(Clone, Copy, Default)]
struct Review<'a> {
    unwatched: bool,
    failed: bool,
    observed: &'a [&'a str],
    incidents: &'a [&'a str],
}

/// Ten days before midnight, reviewed, watched, nothing predicted, nothing seen.
const QUIET: Past<'static> = Past {
    down: "dbA",
    team: Some("databases"),
    template: None,
    predicted: &[],
    start: -10 * DAY,
    backed_out: false,
    review: Some(Review { unwatched: false, failed: false, observed: &[], incidents: &[] }),
};

impl Past<'_> {
    /// The request as it stands when all that is over.
    fn after(&self, estate: &Estate, key: &str, before: &RequestForChange) -> RequestForChange {
        let mut after = before.clone();
        let by: Arc<str> = "ann".into();
        let (started_at, finished_at) = (minutes(self.start), minutes(self.start + 60));
        let outcome = if self.backed_out { ChangeState::BackedOut } else { ChangeState::Done };
        after.version += 1;
        after.key = key.into();
        after.team = self.team.map(Into::into);
        after.template = self.template.map(Into::into);
        let effect = |name: &&str| EffectOn {
            ci: estate.id(name),
            at_best: Effect::Protected,
            at_worst: Effect::Breached,
            loss: 1.0,
            new_single_points: Vec::new(),
        };
        let assessment = FrozenAssessment {
            revision: Revision(7),
            at: started_at,
            by: Arc::clone(&by),
            inputs: Digest::default(),
            document: Digest::default(),
            is_complete: true,
            major: Vec::new(),
            violations: Vec::new(),
            collisions: Vec::new(),
            unsearched: Vec::new(),
            effects: self.predicted.iter().map(effect).collect(),
        };
        after.approval = Some(Approval { by: Arc::clone(&by), at: started_at, reason: None, assessment });
        after.completion = Some(Completion {
            outcome,
            started_at,
            finished_at,
            compared_at: Revision(8),
            showing: Vec::new(),
            not_showing: Vec::new(),
            reason: None,
        });
        after.state = if self.review.is_some() { ChangeState::Reviewed } else { outcome };
        after.review = self.review.map(|review| ReviewRecord {
            by,
            at: finished_at,
            is_monitored: !review.unwatched,
            incidents: review.incidents.iter().map(|number| (*number).into()).collect(),
            observed: review.observed.iter().map(|name| observed(estate, name)).collect(),
            has_failed: review.failed,
            lessons: "as written".into(),
        });
        after
    }
}

fn observed(estate: &Estate, name: &str) -> ObservedLoss {
    ObservedLoss { ci: estate.id(name), loss: 0.5, minutes: 20, reference: None }
}

/// The worked estate, with requests whose work is over.
struct Estate(keelson_testkit::Estate);

impl Deref for Estate {
    type Target = keelson_testkit::Estate;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Estate {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Estate {
    fn new() -> Self {
        Self(keelson_testkit::Estate::worked())
    }

    /// Commits a request whose work is over.
    fn past(&mut self, key: &str, past: Past<'_>) {
        self.request(key, &[past.down], None, 30);
        let before = Arc::clone(&self.catalogue.find_request(key).unwrap().record);
        let after = past.after(self, key, &before);
        self.commit(&[RecordChange::Request(keelson_model::Change::updated(before, after))]);
    }

    /// Commits many alike, one an hour; the first of them failed.
    fn many(&mut self, prefix: &str, past: Past<'_>, failures: i64, changes: i64) {
        for at in 0..changes {
            let review = Some(Review { failed: at < failures, ..Review::default() });
            self.past(&format!("{prefix}{at}"), Past { review, start: past.start + at, ..past });
        }
    }

    fn disruption(&mut self, name: &str, kind: DisruptionKind, from: i64, until: Option<i64>, reference: Option<&str>) {
        let fields = DisruptionFields {
            ci: self.id(name),
            kind,
            loss: 0.8,
            from: minutes(from),
            until: until.map(minutes),
            reference: reference.map(Into::into),
            description: None,
        };
        self.disrupt(&fields);
    }

    fn score_of(&self, key: &str, most: usize) -> Option<ReviewScore> {
        let view = self.view();
        let request = schedule::find_request(&view, key).unwrap();
        review::scorecard(&view, &ScoreQuestion { request, most }, Asked::now(minutes(0)), &Pool::new()).unwrap()
    }

    fn score(&self, key: &str) -> ReviewScore {
        self.score_of(key, 100).unwrap()
    }

    fn suggested(&self, key: &str, now: DateTime<Utc>) -> FailureSuggestion {
        let view = self.view();
        review::suggest_failure(&view, schedule::find_request(&view, key).unwrap(), now, &Pool::new()).unwrap()
    }

    fn trends_of(&self, most: usize) -> TrendsAnswer {
        let question = TrendsQuestion { policy: &self.policy, most };
        review::trends(&self.view(), &question, Asked::now(minutes(0)), &Pool::new()).unwrap()
    }

    fn trends(&self) -> TrendsAnswer {
        self.trends_of(100)
    }
}

fn verdicts(score: &ReviewScore) -> Vec<(&str, Verdict)> {
    score.services.iter().map(|line| (line.subject.name.as_str(), line.verdict)).collect()
}

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= 0.000_5, "{found} is not {wanted}");
}

fn counts(line: &RateLine) -> (u32, u32) {
    (line.failures, line.changes)
}

#[test]
fn hits_false_alarms_and_misses_are_told_apart() {
    let mut estate = Estate::new();
    let review = Review { observed: &["payments", "sso"], incidents: &["INC-1"], failed: true, ..Review::default() };
    estate.past("H", Past { predicted: &["payments", "portal"], review: Some(review), ..QUIET });
    let score = estate.score("H");
    assert_eq!(verdicts(&score), [("sso", Verdict::Miss), ("portal", Verdict::FalseAlarm), ("payments", Verdict::Hit)]);
    let wanted = Figures { hits: 1, false_alarms: 1, misses: 1, precision: Some(1.0 / 2.0), recall: Some(1.0 / 2.0) };
    assert_eq!(score.figures, Some(wanted));
    let (miss, hit) = (&score.services[0], &score.services[2]);
    assert_eq!((miss.predicted, miss.observed_loss, miss.observed_minutes), (None, Some(0.5), Some(20)));
    assert_eq!((hit.predicted, hit.predicted_at_best), (Some(Effect::Breached), Some(Effect::Protected)));
    assert_eq!(
        (score.incidents, score.failed, score.predicted_at),
        (vec!["INC-1".into()], Some(true), Some(Revision(7)))
    );
    assert!(score.summary.starts_with("1 services harmed as predicted, 1 predicted and not"), "{}", score.summary);
    let paged = estate.score_of("H", 1).unwrap();
    assert_eq!(paged.services.len(), 1);
    assert!(paged.basis.complete && paged.basis.limits[0].code == LimitCode::Page);
}

#[test]
fn a_prediction_without_harm_is_right() {
    let mut estate = Estate::new();
    estate.past("Q", QUIET);
    let score = estate.score("Q");
    assert_eq!(score.figures, Some(Figures::default()));
    assert_eq!((score.failed, score.monitoring), (Some(false), Monitoring::Watched));
    estate.request("X", &["dbA"], None, 30);
    assert_eq!(estate.score_of("X", 100), None, "its work is not over");
}

#[test]
fn disruptions_of_the_time_count_where_the_change_can_have_caused_them() {
    let mut estate = Estate::new();
    let start = QUIET.start;
    estate.past("H", Past { predicted: &["portal"], ..QUIET });
    let incident = DisruptionKind::Incident;
    // payments rests on dbA; sso and dns do not.
    estate.disruption("payments", incident, start + 30, Some(start + 90), Some("INC-1"));
    estate.disruption("sso", incident, start + 10, Some(start + 20), Some("INC-2"));
    // Over before the work began, and begun when it was over: neither has anything in common with it.
    estate.disruption("payments", incident, start - 30, Some(start), Some("INC-3"));
    estate.disruption("payments", incident, start + 60, None, Some("INC-4"));
    // The plan again.
    estate.disruption("portal", DisruptionKind::Maintenance, start, Some(start + 60), Some("h"));
    let score = estate.score("H");
    assert_eq!(verdicts(&score), [("payments", Verdict::Miss), ("portal", Verdict::FalseAlarm)]);
    let payments = &score.services[0];
    assert_eq!((payments.observed_loss, payments.observed_minutes), (Some(0.8), Some(30)));
    assert_eq!(payments.references, ["INC-1"]);
    let elsewhere: Vec<_> = score.elsewhere.iter().map(|line| line.reference.as_deref().unwrap()).collect();
    assert_eq!(elsewhere, ["INC-2"]);
    // A review that links it puts it down to the change, wherever it is.
    let review = Review { incidents: &["inc-2"], ..Review::default() };
    estate.past("L", Past { review: Some(review), ..QUIET });
    assert_eq!(verdicts(&estate.score("L")), [("payments", Verdict::Miss), ("sso", Verdict::Miss)]);
}

#[test]
fn what_was_down_before_can_confirm_a_prediction_and_is_no_miss() {
    let mut estate = Estate::new();
    estate.past("H", QUIET);
    estate.past("P", Past { predicted: &["payments"], ..QUIET });
    estate.disruption("payments", DisruptionKind::Incident, QUIET.start - 60, None, Some("INC-1"));
    let score = estate.score("H");
    assert_eq!((verdicts(&score), score.elsewhere.len()), (Vec::new(), 1));
    assert_eq!(verdicts(&estate.score("P")), [("payments", Verdict::Hit)]);
}

#[test]
fn what_nobody_watched_is_unknown_and_counts_in_nothing() {
    let mut estate = Estate::new();
    let unwatched = Some(Review { unwatched: true, ..Review::default() });
    estate.past("U", Past { predicted: &["payments"], review: unwatched, ..QUIET });
    estate.past("B", Past { predicted: &["payments"], review: unwatched, backed_out: true, ..QUIET });
    let score = estate.score("U");
    assert_eq!((score.monitoring, score.figures, score.failed), (Monitoring::Unwatched, None, None));
    assert_eq!(verdicts(&score), [("payments", Verdict::Unknown)]);
    assert!(score.summary.contains("unknown"), "{}", score.summary);
    let trends = estate.trends();
    assert_eq!((trends.over, trends.portfolio.unmonitored, counts(&trends.portfolio)), (2, 2, (0, 0)));
    assert_eq!((trends.brier, trends.watched, trends.services.len()), (None, 0, 0));
    assert_eq!((trends.months[0].done, trends.months[0].backed_out, trends.months[0].failed), (1, 1, 0));
    assert!(trends.notes[0].starts_with("2 changes were reviewed without anybody having watched"));
    close(trends.portfolio.failure, 0.03);
    // Not reviewed: nobody has said.
    estate.past("N", Past { predicted: &["payments"], review: None, ..QUIET });
    let score = estate.score("N");
    assert_eq!((score.monitoring, score.figures, score.failed), (Monitoring::NotReviewed, None, Some(false)));
}

#[test]
fn a_failure_is_suggested_by_incidents_inside_the_cone_within_three_days() {
    let mut estate = Estate::new();
    let end = QUIET.start + 60;
    estate.past("H", Past { review: None, ..QUIET });
    let incident = DisruptionKind::Incident;
    estate.disruption("sso", incident, end + 5, None, Some("INC-1"));
    estate.disruption("payments", incident, end + 3 * DAY + 1, None, Some("INC-2"));
    estate.disruption("payments", incident, QUIET.start - 5, None, Some("INC-3"));
    estate.disruption("payments", incident, end + 5, None, None);
    estate.disruption("payments", DisruptionKind::Maintenance, end + 5, None, Some("M-1"));
    let quiet = estate.suggested("H", minutes(0));
    assert!(!quiet.has_failed && quiet.is_settled && quiet.incidents.is_empty());
    assert!(quiet.reason.starts_with("no incident with a number began"), "{}", quiet.reason);
    estate.disruption("payments", incident, end + 3 * DAY, None, Some("INC-4"));
    // The day before, nobody could have known.
    let early = estate.suggested("H", minutes(end + 2 * DAY));
    assert!(!early.has_failed && !early.is_settled && early.reason.contains("so far"), "{}", early.reason);
    let failed = estate.suggested("H", minutes(0));
    assert!(failed.has_failed && failed.is_settled);
    assert!(failed.reason.starts_with("the incident INC-4 on service/payments began inside its cone"));
    // On the altered item itself, and one more.
    estate.disruption("dbA", incident, end - 5, Some(end), Some("INC-5"));
    assert!(estate.suggested("H", minutes(0)).reason.starts_with("the incident INC-5 on database/dbA and 1 more"));
    estate.past("B", Past { backed_out: true, review: None, start: -30 * DAY, ..QUIET });
    let backed_out = estate.suggested("B", minutes(-30 * DAY + 60));
    assert_eq!((backed_out.has_failed, backed_out.reason.as_str()), (true, "it was backed out"));
    estate.request("X", &["dbA"], None, 30);
    assert_eq!(estate.suggested("X", minutes(0)).reason, "its work is not over");
}

#[test]
fn a_change_may_fail_for_three_days_and_is_backed_out_whatever_its_review_says() {
    let mut estate = Estate::new();
    estate.past("N", Past { review: None, start: -DAY, ..QUIET });
    estate.past("B", Past { review: Some(Review::default()), backed_out: true, ..QUIET });
    let known = |key: &str, now| has_failed(&estate.catalogue.find_request(key).unwrap().record, minutes(now));
    assert_eq!((known("N", 0), known("N", 3 * DAY)), (None, Some(false)));
    assert_eq!(known("B", 0), Some(true));
    let trends = estate.trends();
    assert_eq!((trends.portfolio.too_early, counts(&trends.portfolio), trends.not_reviewed), (1, (1, 1), 1));
    assert!(trends.notes[0].contains("less than 72 hours ago"), "{:?}", trends.notes);
}

/// The line of the template after so many failures, with further changes of the same team to the same
/// class that keep every cell above at 3 %.
fn template(failures: i64, changes: i64, others_failed: i64, others: i64) -> (Estate, RateLine) {
    let mut estate = Estate::new();
    estate.many("t", Past { template: Some("patch"), start: -100 * DAY, ..QUIET }, failures, changes);
    estate.many("o", Past { start: -90 * DAY, ..QUIET }, others_failed, others);
    let line = estate.trends().templates.into_iter().next().unwrap();
    (estate, line)
}

#[test]
fn the_worked_chances_come_out_of_requests() {
    let (estate, line) = template(4, 40, 0, 0);
    assert_eq!((line.level, counts(&line)), (CellLevel::Template, (4, 40)));
    assert_eq!(
        (line.template.as_deref(), line.team.as_deref(), line.class.as_deref()),
        (Some("patch"), Some("databases"), Some("database"))
    );
    close(line.failure, 0.061);
    close(line.interval.0, 0.026);
    close(line.interval.1, 0.107);
    // The next request of the kind is told the same.
    let mut estate = estate;
    estate.request("NEXT", &["dbA"], None, 30);
    let before = Arc::clone(&estate.catalogue.find_request("NEXT").unwrap().record);
    let mut after = RequestForChange::clone(&before);
    (after.version, after.team, after.template) = (after.version + 1, Some(" Databases".into()), Some("patch".into()));
    estate.commit(&[RecordChange::Request(keelson_model::Change::updated(before, after))]);
    let risk = estate.assess("NEXT").risk;
    assert_eq!((risk.failure, risk.interval, risk.changes, risk.failures), (line.failure, line.interval, 40, 4));

    close(template(0, 12, 0, 0).1.failure, 0.024);
    close(template(1, 300, 0, 0).1.failure, 0.007);
    let nothing = Estate::new().trends();
    close(nothing.portfolio.failure, 0.03);
    close(nothing.portfolio.interval.0, 0.004);
    close(nothing.portfolio.interval.1, 0.077);
    assert_eq!((nothing.brier, nothing.over), (None, 0));
}

#[test]
fn the_portfolio_alone_gives_the_worked_chances_too() {
    for (failures, changes, wanted) in [(4, 40, 0.061), (0, 12, 0.024), (1, 300, 0.007)] {
        let mut estate = Estate::new();
        estate.many("t", Past { template: Some("patch"), start: -100 * DAY, ..QUIET }, failures, changes);
        let trends = estate.trends();
        close(trends.portfolio.failure, wanted);
        assert_eq!(counts(&trends.classes[0]), counts(&trends.portfolio));
    }
}

#[test]
fn a_template_counts_without_a_team() {
    let mut estate = Estate::new();
    estate.many("t", Past { template: Some("patch"), team: None, ..QUIET }, 1, 3);
    estate.many("p", Past { team: None, ..QUIET }, 0, 2);
    let trends = estate.trends();
    assert_eq!((trends.templates.len(), counts(&trends.templates[0])), (1, (1, 3)));
    assert_eq!((trends.templates[0].team.as_deref(), trends.teams.len()), (None, 0));
    assert_eq!(counts(&trends.classes[0]), (1, 5));
}

fn predictions(view: &View, policy: &Policy) -> Vec<Judged> {
    let requests = view.catalogue.requests().map(|kept| &*kept.record);
    let judged = requests.filter_map(|request| {
        let failed = has_failed(request, minutes(0))?;
        let (history, kind) = histories(view, request);
        let prior = Prior { mean: policy.usual_failure, strength: policy.prior_strength };
        Some(Judged { predicted: history.estimate(prior, kind).mean, failed })
    });
    judged.collect()
}

#[test]
fn each_chance_is_predicted_from_what_was_over_before() {
    let mut estate = Estate::new();
    // The second begins while the first is under way: each is predicted from nothing.
    let failed = Some(Review { failed: true, ..Review::default() });
    estate.past("A", Past { review: failed, ..QUIET });
    estate.past("B", Past { start: QUIET.start + 30, ..QUIET });
    let trends = estate.trends();
    let score = (0.97 * 0.97 + 0.03 * 0.03) / 2.0;
    assert!((trends.brier.unwrap() - score).abs() < 1e-12);
    assert_eq!(trends.brier_of_base_rate, Some(0.25));
    assert_eq!((trends.reliability.len(), trends.reliability[0].changes), (1, 2));
    assert!((trends.reliability[0].predicted - 0.03).abs() < 1e-12 && trends.reliability[0].observed == 0.5);
    // One that begins as the first ends knows it.
    estate.past("C", Past { start: QUIET.start + 60, team: None, ..QUIET });
    let after_one = (1.5 + 1.0) / 51.0;
    let predicted = predictions(&estate.view(), &estate.policy);
    assert!((predicted[2].predicted - after_one).abs() < 1e-12);
    // Later ones change nothing of it, and the answer says what each request was told.
    estate.many("later", Past { template: Some("patch"), down: "web1", start: -5 * DAY, ..QUIET }, 2, 200);
    let wanted = brier(&predictions(&estate.view(), &estate.policy)).unwrap();
    assert!((estate.trends().brier.unwrap() - wanted).abs() < 1e-12);
    assert!((predictions(&estate.view(), &estate.policy)[2].predicted - after_one).abs() < 1e-12);
}

#[test]
fn predictions_are_counted_by_service_and_lists_are_paged() {
    let mut estate = Estate::new();
    let hit = Past {
        predicted: &["payments"],
        review: Some(Review { observed: &["payments"], ..Review::default() }),
        ..QUIET
    };
    for at in 0..47 {
        estate.past(&format!("h{at}"), hit);
    }
    let month = TimeDelta::days(40).num_minutes();
    estate.past("f1", Past { predicted: &["payments"], start: -month, ..QUIET });
    estate.past("f2", Past { predicted: &["payments"], ..QUIET });
    let miss = Review { observed: &["payments", "sso"], ..Review::default() };
    estate.past("m", Past { down: "web1", review: Some(miss), ..QUIET });
    estate.past("n", Past { predicted: &["payments"], review: None, backed_out: true, ..QUIET });
    let trends = estate.trends();
    let payments = &trends.services[0];
    assert_eq!(payments.text, "impact predictions right in 47 of 50 changes");
    assert_eq!((payments.subject.name.as_str(), payments.changes, payments.right), ("payments", 50, 47));
    assert_eq!((payments.figures.hits, payments.figures.false_alarms, payments.figures.misses), (47, 2, 1));
    assert_eq!(payments.figures.recall, Some(47.0 / 48.0));
    assert_eq!(trends.services[1].text, "impact predictions right in 0 of 1 change");
    assert_eq!((trends.watched, trends.right, trends.figures.misses), (50, 47, 2));
    assert_eq!(trends.months.iter().map(|line| line.month.as_str()).collect::<Vec<_>>(), ["2026-09", "2026-10"]);
    let last = &trends.months[1];
    assert_eq!((last.done, last.backed_out, last.failed, last.unmonitored), (49, 1, 1, 0));
    let paged = estate.trends_of(1);
    let lengths = (paged.services.len(), paged.classes.len(), paged.months.len());
    assert_eq!((lengths, paged.months[0].month.as_str(), paged.classes[0].changes), ((1, 1, 1), "2026-10", 50));
    let pages: Vec<&str> = paged.basis.limits.iter().map(|limit| limit.message.as_str()).collect();
    assert!(pages.contains(&"1 of 2 services are shown") && pages.contains(&"1 of 2 months are shown"), "{pages:?}");
}

#[test]
fn answers_are_written_in_camel_case() {
    let mut estate = Estate::new();
    estate.past("H", Past { predicted: &["payments"], ..QUIET });
    let text = serde_json::to_value(estate.score("H")).unwrap();
    assert!(text["startedAt"].is_string() && text["figures"]["falseAlarms"] == 1 && text["revision"].is_number());
    let text = serde_json::to_value(estate.trends()).unwrap();
    assert_eq!((&text["portfolio"]["level"], &text["portfolio"]["tooEarly"]), (&"portfolio".into(), &0.into()));
    assert_eq!(text["services"][0]["falseAlarms"], 1);
}
