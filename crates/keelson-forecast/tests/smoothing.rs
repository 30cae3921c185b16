//! Exponential smoothing against published results (analyses E14).

use keelson_forecast::smoothing::{Parameters, Shape, State, fit};
use serde_json::Value as Json;

fn published() -> Json {
    serde_json::from_str(include_str!("known-answers/exponential-smoothing.json")).expect("it is JSON")
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
}

struct Model {
    name: String,
    values: Vec<f64>,
    parameters: Parameters,
    state: State,
    fitted: Vec<f64>,
    forecast: Vec<f64>,
}

fn models() -> Vec<Model> {
    let published = published();
    let read = |model: &Json| {
        let name = model["model"].as_str().expect("a name");
        let mut initial = numbers(&model["initial"]).into_iter();
        let level = initial.next().expect("a level");
        let slope = if &name[1..2] == "A" { initial.next().expect("a slope") } else { 0.0 };
        // The latest phase comes first, the next one last.
        let season: Vec<f64> = initial.rev().collect();
        let number = |key: &str| model[key].as_f64();
        Model {
            name: format!("{name} damped {}", model["damped"]),
            values: numbers(&published["series"][model["series"].as_str().expect("a name")]),
            parameters: Parameters {
                alpha: number("alpha").expect("always given"),
                beta: number("beta").unwrap_or(0.0),
                gamma: number("gamma").unwrap_or(0.0),
                phi: number("phi").unwrap_or(1.0),
            },
            state: State::new(level, slope, season),
            fitted: numbers(&model["fitted"]),
            forecast: numbers(&model["forecast"]),
        }
    };
    published["models"].as_array().expect("a list").iter().map(read).collect()
}

#[test]
fn the_recursion_gives_the_published_values_and_forecasts() {
    let models = models();
    assert_eq!(models.len(), 12);
    for Model { name, values, parameters, mut state, fitted, forecast } in models {
        let mut worst: f64 = 0.0;
        for (value, wanted) in values.iter().zip(&fitted) {
            worst = worst.max((state.take(&parameters, *value) - wanted).abs());
        }
        // Eight decimals of every parameter and state are published, which 68 steps multiply with values
        // of up to 73 (austourists) and 550 (oildata).
        let tolerance = match () {
            () if name == "AAA damped true" => 1e-7,
            () if values[0] < 100.0 => 5e-7,
            () => 5e-6,
        };
        assert!(worst < tolerance, "{name}: fitted values differ by {worst}");
        for (found, wanted) in state.forecast(&parameters, 4).iter().zip(&forecast) {
            assert!((found - wanted).abs() < 10.0 * tolerance, "{name}: {found} is not {wanted}");
        }
    }
}

#[test]
fn the_damped_seasonal_forecast_of_the_example() {
    let model = models().into_iter().find(|model| model.name == "AAA damped true").expect("published");
    let mut state = model.state;
    for value in &model.values {
        state.take(&model.parameters, *value);
    }
    let wanted = [76.07768, 51.61741, 63.96458, 68.27886];
    for (found, wanted) in state.forecast(&model.parameters, 4).iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
    }
}

#[test]
fn our_fit_is_about_as_close_as_the_published_one() {
    for (name, shape) in [
        ("AAA damped true", Shape { season: 4, is_damped: true }),
        ("AAA damped false", Shape { season: 4, is_damped: false }),
        ("AAN damped true", Shape { season: 1, is_damped: true }),
    ] {
        let model = models().into_iter().find(|model| model.name == name).expect("published");
        let theirs: f64 = model.values.iter().zip(&model.fitted).map(|(value, fitted)| (value - fitted).powi(2)).sum();
        let ours = fit(&model.values, shape).expect("long enough");
        assert!(ours.squared_errors < 1.1 * theirs, "{name}: {} against {theirs}", ours.squared_errors);
    }
}

#[test]
fn gaps_move_the_states_on() {
    let parameters = Parameters { alpha: 0.5, beta: 0.1, gamma: 0.2, phi: 1.0 };
    let mut state = State::new(10.0, 1.0, vec![2.0, -2.0]);
    assert_eq!(state.take(&parameters, f64::NAN), 13.0);
    assert_eq!(state.forecast(&parameters, 3), [10.0, 15.0, 12.0]);
    assert_eq!(fit(&[1.0, 2.0, f64::NAN], Shape { season: 1, is_damped: false }), None);
    assert_eq!(fit(&[1.0; 7], Shape { season: 4, is_damped: false }), None);
}
