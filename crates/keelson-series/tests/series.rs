//! What is read, packed and laid over one another.

use keelson_model::Metric;
use keelson_series::csv::{self, Defaults};
use keelson_series::packed::{pack, unpack};
use keelson_series::prometheus::{self, Meaning};
use keelson_series::{ReadError, overlaid};
use proptest::prelude::*;

#[test]
fn a_table_is_read_and_gaps_stay_gaps() {
    let text = b"key,metric,time,value,unit\n\
        service/payments,demand,2026-11-01T00:00:00Z,40,transactions/s\n\
        service/payments,demand,2026-11-01 12:00,100.5,transactions/s\n\
        service/payments,demand,2026-11-02,,transactions/s\n\
        database/db,utilisation,1793491200,0.4,\n";
    let read = csv::read(text, Defaults::default()).unwrap();
    assert_eq!(read.gaps, 1);
    let [db, payments] = &read.readings[..] else { panic!("{read:?}") };
    assert_eq!(
        (db.key.as_str(), db.metric, db.unit.as_str(), db.points.len()),
        ("database/db", Metric::Utilisation, "1", 1)
    );
    assert_eq!(payments.points, [(1_793_491_200_000, 40.0), (1_793_534_400_000, 100.5)]);
}

#[test]
fn what_is_wrong_is_said_with_line_and_column() {
    let read = |lines: &str| csv::read(format!("key,metric,time,value,unit\n{lines}").as_bytes(), Defaults::default());
    for (lines, says) in [
        ("a,demand,yesterday,1,requests/s", "line 2, column 'time': 'yesterday' is no time"),
        ("a,demand,2026-11-01,-1,requests/s", "column 'value': '-1' is no number of 0 or above"),
        ("a,demand,2026-11-01,1,", "column 'unit': demand has a unit"),
        ("a,demand,2026-11-01,1,furlongs", "'furlongs' is no unit"),
        ("a,load,2026-11-01,1,requests/s", "column 'metric': 'load' is no metric"),
        (",demand,2026-11-01,1,requests/s", "column 'key': it is empty"),
        ("a,demand,2026-11-01,1,requests/s\na,demand,2026-11-01,2,requests/s", "two values of demand"),
        ("a,demand,2026-11-01,1,requests/s\na,demand,2026-11-02,2,transactions/s", "a series has one unit"),
    ] {
        let error = read(lines).unwrap_err().to_string();
        assert!(error.contains(says), "{lines}: {error}");
    }
    assert!(matches!(csv::read(b"key,time\na,1\n", Defaults::default()), Err(ReadError::Column { column: "value" })));
    let defaults = Defaults { metric: Some("demand"), unit: Some("requests/s") };
    assert_eq!(csv::read(b"key,time,value\na,1,2\n", defaults).unwrap().readings[0].points, [(1_000, 2.0)]);
}

#[test]
fn a_range_query_is_read_by_its_labels() {
    let text = br#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"job":"payments","instance":"a"},"values":[[1793491200,"40"],[1793491260.5,"NaN"],[1793491320,"41.5"]]}]}}"#;
    let meaning = Meaning { key: "service/{job}", metric: "demand", unit: Some("transactions/s") };
    let read = prometheus::read(text, meaning).unwrap();
    assert_eq!((read.gaps, read.readings[0].key.as_str()), (1, "service/payments"));
    assert_eq!(read.readings[0].points, [(1_793_491_200_000, 40.0), (1_793_491_320_000, 41.5)]);

    let missing = Meaning { key: "service/{app}", ..meaning };
    let error = prometheus::read(text, missing).unwrap_err().to_string();
    assert!(error.contains("series 1 (instance=a, job=payments): it has no label 'app'"), "{error}");
    let failed = br#"{"status":"error","error":"bad query","data":null}"#;
    assert!(prometheus::read(failed, meaning).unwrap_err().to_string().contains("bad query"));
    let vector = br#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    assert!(prometheus::read(vector, meaning).unwrap_err().to_string().contains("matrix"));
    assert!(prometheus::read(b"nonsense", meaning).is_err());
}

#[test]
fn later_readings_count_before_earlier_ones() {
    let first = vec![(1, 1.0), (2, 2.0)];
    assert_eq!(overlaid([first.clone(), vec![(3, 3.0)]]), [(1, 1.0), (2, 2.0), (3, 3.0)]);
    assert_eq!(overlaid([first, vec![(0, 0.5), (2, 9.0)]]), [(0, 0.5), (1, 1.0), (2, 9.0)]);
    assert_eq!(overlaid(Vec::<Vec<(i64, f64)>>::new()), []);
}

#[test]
fn a_year_of_quarter_hours_is_small() {
    let value = |at: i32| f64::from(400 + (at % 96) * (96 - at % 96) / 20 + at / 96 % 7) / 4.0;
    let points: Vec<(i64, f64)> = (0..35_040).map(|at| (i64::from(at) * 900_000, value(at))).collect();
    let packed = pack(&points).unwrap();
    assert!(packed.len() < points.len() * 3, "{} bytes for {} points", packed.len(), points.len());
}

proptest! {
    #[test]
    fn points_come_back_as_they_were(
        points in prop::collection::vec((any::<i64>(), any::<f64>().prop_filter("a number", |value| !value.is_nan())), 0..300)
    ) {
        let packed = pack(&points).unwrap();
        prop_assert_eq!(unpack(&packed, points.len() as u64).unwrap(), points.clone());
        prop_assert!(unpack(&packed, points.len() as u64 + 1).is_err());
    }

    #[test]
    fn bytes_that_are_no_points_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = unpack(&bytes, 3);
    }
}
