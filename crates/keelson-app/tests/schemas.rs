//! The JSON Schemas of questions and answers in `schema/answers/` are those of the types.
//! `KEELSON_BLESS=1` rewrites them.

use std::path::Path;

use keelson_app::answers::availability::AvailabilityAnswer;
use keelson_app::answers::capacity::CapacityAnswer;
use keelson_app::answers::capacity::throughput::ThroughputAnswer;
use keelson_app::answers::change::ChangeAnswer;
use keelson_app::answers::check::CheckAnswer;
use keelson_app::answers::cut_sets::CutSetsAnswer;
use keelson_app::answers::demand::DemandAnswer;
use keelson_app::answers::drift::DriftAnswer;
use keelson_app::answers::health::HealthAnswer;
use keelson_app::answers::impact::ImpactAnswer;
use keelson_app::answers::items::{ItemAnswer, ListAnswer};
use keelson_app::answers::recovery::RecoveryAnswer;
use keelson_app::answers::register::{BaselinesAnswer, CalendarAnswer, RequestAnswer, RequestsAnswer};
use keelson_app::answers::review::{ReviewScore, TrendsAnswer};
use keelson_app::answers::sample::SampleAnswer;
use keelson_app::answers::schedule::ScheduleAnswer;
use keelson_app::answers::single_points::SinglePointsAnswer;
use keelson_app::answers::supplier::concentration::ConcentrationAnswer;
use keelson_app::answers::supplier::loss::SupplierLossAnswer;
use keelson_app::answers::supplier::promise::PromiseAnswer;
use keelson_app::answers::supplier::register::RegisterAnswer;
use keelson_app::answers::walk::{PathAnswer, WalkAnswer};
use keelson_app::{Act, BaselineAnswer, BaselineComparison, GateAnswer, HistoryAnswer, Question};
use schemars::{Schema, schema_for};

fn schemas() -> [(&'static str, Schema); 34] {
    [
        ("question", schema_for!(Question)),
        ("impact", schema_for!(ImpactAnswer)),
        ("get", schema_for!(ItemAnswer)),
        ("list", schema_for!(ListAnswer)),
        ("history", schema_for!(HistoryAnswer)),
        ("walk", schema_for!(WalkAnswer)),
        ("path", schema_for!(PathAnswer)),
        ("check", schema_for!(CheckAnswer)),
        ("act", schema_for!(Act)),
        ("change", schema_for!(ChangeAnswer)),
        ("request", schema_for!(RequestAnswer)),
        ("requests", schema_for!(RequestsAnswer)),
        ("gate", schema_for!(GateAnswer)),
        ("schedule", schema_for!(ScheduleAnswer)),
        ("calendar", schema_for!(CalendarAnswer)),
        ("baselines", schema_for!(BaselinesAnswer)),
        ("baseline", schema_for!(BaselineAnswer)),
        ("trends", schema_for!(TrendsAnswer)),
        ("comparison", schema_for!(BaselineComparison)),
        ("score", schema_for!(ReviewScore)),
        ("spof", schema_for!(SinglePointsAnswer)),
        ("availability", schema_for!(AvailabilityAnswer)),
        ("cutsets", schema_for!(CutSetsAnswer)),
        ("recovery", schema_for!(RecoveryAnswer)),
        ("demand", schema_for!(DemandAnswer)),
        ("capacity", schema_for!(CapacityAnswer)),
        ("supplier-loss", schema_for!(SupplierLossAnswer)),
        ("throughput", schema_for!(ThroughputAnswer)),
        ("supplier-concentration", schema_for!(ConcentrationAnswer)),
        ("supplier-gap", schema_for!(PromiseAnswer)),
        ("supplier-register", schema_for!(RegisterAnswer)),
        ("sample", schema_for!(SampleAnswer)),
        ("drift", schema_for!(DriftAnswer)),
        ("health", schema_for!(HealthAnswer)),
    ]
}

#[test]
fn the_published_schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/answers");
    let blessing = std::env::var_os("KEELSON_BLESS").is_some();
    if blessing {
        std::fs::create_dir_all(&folder).unwrap();
    }
    let mut stale = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for (name, schema) in schemas() {
        let file = format!("{name}.schema.json");
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if blessing {
            std::fs::write(folder.join(&file), &text).unwrap();
        }
        if std::fs::read_to_string(folder.join(&file)).unwrap_or_default() != text {
            stale.push(file.clone());
        }
        known.push(file);
    }
    assert!(stale.is_empty(), "not current: {stale:?}; run with KEELSON_BLESS=1 and look at the diff");
    let published = std::fs::read_dir(&folder).unwrap();
    let names = published.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strangers: Vec<String> = names.filter(|name| !known.contains(name)).collect();
    assert!(strangers.is_empty(), "files nobody writes: {strangers:?}");
}
