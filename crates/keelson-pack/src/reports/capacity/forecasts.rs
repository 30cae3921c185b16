//! What measured demand will be, service by service.

use keelson_answers::capacity::{CapacityAnswer, ForecastLine, ForecastMethod};
use keelson_report::document::{Document, Section};
use keelson_report::plot::{Ahead, Day, DayKind, TimePlot};

use super::number;
use crate::reports::Frame;
use crate::words::percent;

/// A section for each forecast, with its plot.
pub(super) fn forecasts(document: &mut Document, answer: &CapacityAnswer, frame: &Frame) {
    for (place, one) in answer.forecasts.iter().enumerate() {
        let mut section = Section::new(format!("Demand on {}", one.subject.name)).paragraph(made(one));
        if let (Some(limit), Some(by)) = (one.limit, &one.limited_by) {
            section = section.paragraph(format!("First limited by {by}, at {} {}.", number(limit), one.unit));
        }
        if let Some(figure) = plot(one, frame).figure(&format!("demand-{}", place + 1)) {
            section = section.block(figure);
        }
        document.push(section);
    }
}

/// How a forecast was made, in words.
fn made(one: &ForecastLine) -> String {
    let error = one.error.map_or_else(
        || "its error could not be tried".to_owned(),
        |error| {
            format!(
                "forecasts made of the past alone were wrong by {error:.2} of what repeating the last season is wrong by \
                 within the history, on average (MASE)"
            )
        },
    );
    let coverage = match (one.coverage, one.nominal) {
        (Some(found), Some(nominal)) => {
            format!("; its intervals held {} of the time, where {} were meant to", percent(found), percent(nominal))
        }
        _ => String::new(),
    };
    let growth = one
        .growth_per_month
        .map_or_else(|| "no growth can be told".to_owned(), |growth| format!("{:+.1} % a month", growth * 100.0));
    let gaps = if one.gaps > 0 { format!(", {} of them gaps", one.gaps) } else { String::new() };
    format!("Forecast by {} from {} days{gaps}: {growth}; {error}{coverage}.", method(one.method), one.days)
}

/// History, forecast, and for each of the lowest limits its line, the day to decide and the day it is reached.
fn plot(one: &ForecastLine, frame: &Frame) -> TimePlot {
    let days = one.limits.iter().flat_map(|limit| {
        let of = &limit.resource;
        let decide = limit.decide_by.map(|at| Day {
            name: format!("decide on {of} by {}", frame.day(at)),
            at,
            kind: DayKind::Decide,
        });
        let runs_out = limit.exhausted_at.map(|at| Day {
            name: format!("{of} runs out on {}", frame.day(at)),
            at,
            kind: DayKind::RunsOut,
        });
        [decide, runs_out]
    });
    TimePlot {
        title: format!("Demand on {}: daily peaks, forecast and limits", one.subject.name),
        unit: one.unit.clone(),
        history: one.history.iter().map(|point| (point.day, point.value)).collect(),
        forecast: one
            .band
            .iter()
            .map(|day| Ahead { at: day.day, low: day.low, middle: day.middle, high: day.high })
            .collect(),
        limits: one.limits.iter().map(|one| (format!("limit of {}", one.resource), one.limit)).collect(),
        days: days.flatten().collect(),
    }
}

fn method(method: ForecastMethod) -> &'static str {
    match method {
        ForecastMethod::SeasonalNaive => "repeating the last season",
        ForecastMethod::RobustTrend => "a robust trend",
        ForecastMethod::Decomposition => "decomposition into trend and seasons",
        ForecastMethod::HoltWinters => "exponential smoothing",
        ForecastMethod::DampedHoltWinters => "damped exponential smoothing",
    }
}
