//! Assesses a week of requested changes on a graph in files and prints how long it took and what it
//! found.
//!
//! `week NODES.csv EDGES.csv CLASS [REQUESTS]`; items of CLASS are the services watched.

use std::{error::Error, path::Path, time::Instant};

use keelson_analysis::{
    Pool,
    schedule::{Plan, Planner, Policy, Scenario},
};
use keelson_benches::{
    csv::Graph,
    plan::{Habit, watched, week},
};
use keelson_graph::ItemIx;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (nodes, edges, class, requests) = match &arguments[..] {
        [nodes, edges, class] => (nodes, edges, class, 1_000),
        [nodes, edges, class, requests] => (nodes, edges, class, requests.parse()?),
        _ => return Err("usage: week NODES.csv EDGES.csv CLASS [REQUESTS]".into()),
    };
    let graph = Graph::read(Path::new(nodes), Path::new(edges))?;
    let snapshot = graph.build()?;
    let is_service = |(_, known): &(usize, &String)| *known == class;
    let services = watched(graph.classes.iter().enumerate().filter(is_service).map(|(at, _)| ItemIx::of(at)));
    let pool = Pool::new();
    println!("{} services watched, {requests} requests", services.len());
    for habit in [Habit::Spread, Habit::Nights] {
        let changes = week(&snapshot, requests, habit);
        for back_out in [false, true] {
            let started = Instant::now();
            let plan = Plan { back_out, budget: u32::MAX, ..Plan::of(&changes, &services) };
            let mut planner = Planner::new(&snapshot, plan, &pool)?;
            let ready = started.elapsed();
            let schedule = planner.schedule();
            let done = started.elapsed();
            let planned = schedule.collisions().filter(|finding| finding.scenario == Scenario::Plan).count();
            println!(
                "{habit:?}, back-outs {back_out}: {:.3} s ({:.3} s of it getting ready); {} intervals, most at once {}, \
                 {} findings, {planned} collisions in the plan and {} of back-outs, {} uncertain, {} evaluations",
                done.as_secs_f64(),
                ready.as_secs_f64(),
                schedule.intervals.len(),
                schedule.intervals.iter().map(|interval| interval.active.len()).max().unwrap_or(0),
                schedule.findings.len(),
                schedule.collisions().count() - planned,
                schedule.cut.len(),
                schedule.evaluations,
            );
            let Some(collision) = schedule.collisions().next() else { continue };
            let policy = Policy { most: 86_400, earliest: 0, latest: 8 * 86_400 };
            let started = Instant::now();
            let search = planner.smallest_shift(&schedule, &collision.changes, &policy);
            let by = search.shift.map(|shift| shift.by);
            println!(
                "  smallest shift: {by:?} s after {} tries, {:.3} s",
                search.tried,
                started.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}
