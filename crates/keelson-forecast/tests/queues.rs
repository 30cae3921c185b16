//! Queues and closed systems against textbook values (analyses E12).

use keelson_forecast::{
    ForecastError,
    closed::{ClosedSystem, demand, rounds},
    queue::{Basis, Queue, erlang_b, erlang_c, knee, planning_limit},
};
use proptest::prelude::*;

fn close(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted} to {tolerance}");
}

fn queue(arrivals: f64, service_rate: f64, servers: u32) -> Queue {
    Queue::new(arrivals, service_rate, servers).expect("the queue is stable")
}

#[test]
fn queues_with_several_servers_are_as_the_textbook_has_them() {
    let three = queue(0.1, 0.05, 3);
    close(three.mean_in_line(), 0.88889, 5e-6);
    close(three.mean_response(), 28.88889, 5e-6);
    close(queue(0.55, 1.0 / 3.0, 2).mean_inside(), 5.16634, 5e-6);
}

#[test]
fn erlangs_formulas_hold_to_twelve_digits() {
    for (servers, erlangs, blocked) in
        [(1, 5.0, 0.833_333_333_333_333_4), (10, 20.0, 0.537_963_168_632_072_9), (190, 200.0, 0.088_696_843_869_235_61)]
    {
        close(erlang_b(servers, erlangs) / blocked, 1.0, 1e-12);
    }
    close(erlang_c(10, 6.0), 0.10130, 5e-6);
    close(erlang_c(25, 20.0), 0.20910, 5e-6);
}

#[test]
fn the_knee_is_no_fixed_threshold() {
    for (servers, busy) in [(1, 0.5), (2, 0.707), (4, 0.835), (8, 0.909), (16, 0.951)] {
        close(knee(servers, 2.0).expect("a sound question"), busy, 5e-4);
    }
    close(knee(1, 2.0).expect("a sound question"), 0.5, 1e-12);
    close(knee(2, 2.0).expect("a sound question"), 0.5_f64.sqrt(), 1e-12);
    assert_eq!(knee(4, 1.0), Ok(0.0), "no response is as short as the service alone");
    let limit = planning_limit(4, Some(0.2), Some(0.4), 0.8).expect("a sound question");
    close(limit.utilisation, 0.835, 5e-4);
    assert_eq!(limit.basis, Basis::Response);
    let declared = planning_limit(4, None, Some(0.4), 0.8).expect("a sound question");
    assert_eq!((declared.utilisation, declared.basis), (0.8, Basis::Declared));
}

#[test]
fn waits_have_an_exponential_tail() {
    let queue = queue(20.0, 1.0, 25);
    close(queue.waiting_longer(0.0), 0.20910, 5e-6);
    close(queue.waiting_longer(1.0), 0.20910 * (-5.0_f64).exp(), 5e-6);
    assert_eq!(queue.wait_quantile(0.5), 0.0, "four in five do not wait at all");
    close(queue.waiting_longer(queue.wait_quantile(0.99)), 0.01, 1e-12);
}

#[test]
fn what_cannot_be_answered_says_why() {
    let error = Queue::new(3.0, 1.0, 2).expect_err("overloaded");
    assert!(error.to_string().starts_with("3 erlangs are too many for 2 servers"), "{error}");
    assert!(matches!(Queue::new(1.0, 0.0, 2), Err(ForecastError::BadNumber { what: "the service rate", .. })));
    assert!(matches!(knee(0, 2.0), Err(ForecastError::BadNumber { what: "the number of servers", .. })));
    assert!(matches!(knee(u32::MAX, 2.0), Err(ForecastError::TooLarge { .. })));
    assert!(ClosedSystem::new(vec![], 1.0, 3).is_err());
    let large = ClosedSystem::new(vec![1.0; 100], 1.0, u32::MAX).expect("a sound system");
    assert!(matches!(large.solve(), Err(ForecastError::TooLarge { .. })));
}

#[test]
fn a_closed_system_obeys_the_operational_laws() {
    let demands = vec![5.0, demand(80.0, 0.05), demand(100.0, 0.03)];
    let system = ClosedSystem::new(demands, 18.0, 17).expect("a sound system");
    let seen = system.at(rounds(15.7, 80.0)).expect("a sound throughput");
    close(seen.throughput, 0.19625, 1e-12);
    close(seen.response, 68.62, 0.005);
    for (found, wanted) in seen.utilisation.iter().zip([0.98125, 0.785, 0.58875]) {
        close(*found, wanted, 1e-9);
    }
    let bounds = system.bounds();
    close(bounds.saturation_users, 6.0, 1e-12);
    close(bounds.throughput_high, 0.2, 1e-12);
    close(bounds.response_low, 67.0, 1e-12);
    let exact = system.solve().expect("few steps");
    close(exact.throughput, 0.196_284, 5e-7);
    close(exact.response, 68.609, 5e-4);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_response_at_the_knee_is_what_was_asked(servers in 1..200_u32, factor in 1.01..20.0_f64) {
        let busy = knee(servers, factor).expect("a sound question");
        let at = Queue::new(busy * f64::from(servers), 1.0, servers).expect("below all servers");
        prop_assert!((at.mean_response() - factor).abs() < 1e-6 * factor);
    }

    #[test]
    fn mean_value_analysis_lies_within_the_bounds(
        demands in proptest::collection::vec(0.01..10.0_f64, 1..6), think in 0.0..50.0_f64, users in 1..60_u32,
    ) {
        let system = ClosedSystem::new(demands, think, users).expect("a sound system");
        let (bounds, exact) = (system.bounds(), system.solve().expect("few steps"));
        prop_assert!(exact.throughput <= bounds.throughput_high * (1.0 + 1e-12));
        prop_assert!(exact.throughput >= bounds.throughput_low * (1.0 - 1e-12));
        prop_assert!(exact.response >= bounds.response_low * (1.0 - 1e-12));
        prop_assert!(exact.utilisation.iter().all(|busy| *busy <= 1.0 + 1e-12));
    }

    #[test]
    fn waits_shorten_with_every_server(servers in 1..60_u32, load in 0.01..0.99_f64) {
        let arrivals = load * f64::from(servers);
        let (few, more) = (queue(arrivals, 1.0, servers), queue(arrivals, 1.0, servers + 1));
        prop_assert!(more.mean_wait() < few.mean_wait());
        prop_assert!(more.waiting() < few.waiting());
        prop_assert!(few.wait_quantile(0.9) <= few.wait_quantile(0.99));
    }
}
