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
        ("a,demand,1793491200000,1,requests/s", "line 2, column 'time': 1793491200000 is no time: times are seconds"),
        ("a,utilisation,2026-11-01,60,", "column 'value': 60 is no fraction: a utilisation without a unit is one"),
        ("a,demand,2026-11-01,-1,requests/s", "column 'value': '-1' is no number of 0 or above"),
        ("a,demand,2026-11-01,1,", "column 'unit': demand has a unit"),
        ("a,demand,2026-11-01,1,furlongs", "'furlongs' is no unit"),
        ("a,load,2026-11-01,1,requests/s", "column 'metric': 'load' is no metric"),
        (",demand,2026-11-01,1,requests/s", "column 'key': it is empty"),
        ("a,demand,2026-11-01,1,requests/s\na,demand,2026-11-01,2,requests/s", "two values of demand"),
        ("a,demand,2026-11-01,1,requests/s\na,demand,2026-11-02,2,transactions/s", "a series has one unit"),
    ] {
        let read = read(lines).unwrap();
        assert_eq!((read.refused_count, read.refused.len()), (1, 1), "{lines}");
        assert!(read.refused[0].contains(says), "{lines}: {:?}", read.refused);
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
    let refused = prometheus::read(text, missing).unwrap().refused;
    assert!(refused[0].contains("series 1 (instance=a, job=payments): it has no label 'app'"), "{refused:?}");
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

#[test]
fn the_lines_that_can_be_read_are_read_and_the_others_listed() {
    let mut text = "key,metric,time,value,unit\na,demand,2026-11-01,1,requests/s\n".to_owned();
    for line in 0..25 {
        text.push_str(&format!("a,demand,2026-11-02,no{line},requests/s\n"));
    }
    text.push_str("a,demand,2026-11-03,3,requests/s\n");
    let read = csv::read(text.as_bytes(), Defaults::default()).unwrap();
    assert_eq!((read.refused_count, read.refused.len(), read.readings[0].points.len()), (25, 10, 2));
    assert!(read.refused[9].starts_with("line 12, column 'value': 'no9'"), "{:?}", read.refused);
}

#[test]
fn a_point_is_taken_back_by_a_later_one() {
    let text = b"key,metric,time,value,unit\na,demand,2026-11-01,withdrawn,requests/s\n";
    let read = csv::read(text, Defaults::default()).unwrap();
    let at = read.readings[0].points[0].0;
    assert_eq!((read.withdrawn(), read.gaps), (1, 0));
    let taken_back = unpack(&pack(&read.readings[0].points).unwrap(), 1).unwrap();
    assert_eq!(overlaid([vec![(at - 1, 1.0), (at, 2.0)], taken_back.clone()]), [(at - 1, 1.0)]);
    assert_eq!(overlaid([taken_back.clone(), vec![(at, 3.0)]]), [(at, 3.0)], "what is said later counts");
    assert_eq!(overlaid([taken_back]), []);
}

#[test]
fn a_utilisation_says_its_unit_or_is_a_fraction() {
    let read = |unit: Option<&str>, value: &str| {
        let text = format!("key,metric,time,value\na,utilisation,2026-11-01,{value}\n");
        csv::read(text.as_bytes(), Defaults { metric: None, unit }).unwrap()
    };
    assert_eq!(read(None, "1.2").readings[0].points[0].1, 1.2);
    assert_eq!(read(Some("%"), "60").readings[0].unit, "%");
    assert_eq!(read(Some("1"), "8").refused_count, 0, "of eight cores, if that is said");
    assert_eq!(read(None, "60").refused_count, 1);
    let text = br#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"job":"a"},"values":[[1793491200,"60"],[1793491200000,"0.5"],[1793491260,"0.5"]]}]}}"#;
    let read = prometheus::read(text, Meaning { key: "host/{job}", metric: "utilisation", unit: None }).unwrap();
    assert_eq!((read.refused_count, read.readings[0].points.len()), (2, 1), "{:?}", read.refused);
}
