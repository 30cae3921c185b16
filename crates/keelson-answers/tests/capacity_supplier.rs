//! Only resources that rest on a supplier: what is none is refused.

use keelson_analysis::Pool;
use keelson_answers::capacity::{CapacityQuestion, capacity};
use keelson_answers::{Asked, QuestionError};
use keelson_testkit::{Estate, minutes};

const BATCH: &str = r#"{"batch":{"format":"keelson/1","source":"all","scope":"all","complete":true,"observed_at":"2026-11-01T00:00:00Z"}}
{"ci":{"key":"service/shop","class":"service","name":"shop","attributes":{"peak_demand":{"value":10,"unit":"requests/s"}}}}
{"ci":{"key":"supplier/A","class":"supplier","name":"A"}}
"#;

#[test]
fn a_plan_for_what_is_no_supplier_is_refused() {
    let view = Estate::of_text(BATCH).view();
    let ask = |supplier: &str| {
        let question =
            CapacityQuestion { supplier: Some(supplier.to_owned()), most: 10, ..CapacityQuestion::default() };
        capacity(&view, &question, Asked::now(minutes(0)), &Pool::default(), None)
    };
    assert_eq!(ask("supplier/A").unwrap().resource_count, 0);
    let refused = ask("service/shop").unwrap_err();
    assert!(matches!(refused, QuestionError::NoSupplier { .. }));
    assert_eq!(
        refused.to_string(),
        "'service/shop' is of class 'service' and no supplier: name a configuration item of class supplier"
    );
    assert!(matches!(ask("supplier/B").unwrap_err(), QuestionError::UnknownKey { .. }));
}
