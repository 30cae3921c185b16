//! The templates, each with its columns and rows.

use keelson_catalogue::CiIx;
use keelson_model::Value;

use super::{Bought, Material, Template};
use crate::View;
use crate::subject::ci_of;
use crate::supplier::{SUPPLIER, all_of, country_code, is_a};

/// All templates, in order of their codes.
pub(super) fn all(material: &Material<'_>) -> Vec<Template> {
    vec![
        entity(material),
        in_scope(material),
        empty("B_01.03", "Branches", &["branch id", "entity LEI", "name", "country"]),
        contracts(material),
        contracts_specific(material),
        linked(material),
        signing_entities(material),
        signing_providers(material),
        internal_providers(material),
        using(material),
        providers(material),
        chain(material),
        functions(material),
        assessments(material),
        definitions(material),
    ]
}

fn template(code: &str, title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Template {
    Template {
        code: code.to_owned(),
        title: title.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        row_count: rows.len(),
        rows,
    }
}

fn empty(code: &str, title: &str, columns: &[&str]) -> Template {
    template(code, title, columns, Vec::new())
}

/// An attribute as a cell; empty where nobody states it.
fn cell(view: &View, ix: CiIx, name: &str) -> String {
    match view.catalogue.ci(ix).attribute(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::Boolean(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
        Some(Value::Time(at)) => at.format("%Y-%m-%d").to_string(),
        Some(Value::Quantity(quantity)) => quantity.value.normalize().to_string(),
        Some(Value::Decimal(number)) => number.normalize().to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Text(text)) => text.to_string(),
        Some(Value::List(values)) => values.iter().filter_map(Value::as_text).collect::<Vec<_>>().join("; "),
    }
}

/// The currency of an amount of money.
fn currency(view: &View, ix: CiIx, name: &str) -> String {
    match view.catalogue.ci(ix).attribute(name) {
        Some(Value::Quantity(quantity)) => quantity.unit.to_string(),
        _ => String::new(),
    }
}

/// An amount of money with its currency.
fn amount(view: &View, ix: CiIx, name: &str) -> String {
    [cell(view, ix, name), currency(view, ix, name)].join(" ").trim().to_owned()
}

/// A country, by its code in capitals where it is one.
fn country(view: &View, ix: CiIx, name: &str) -> String {
    country_code(&cell(view, ix, name)).unwrap_or_else(|stated| stated)
}

/// The first of several attributes that is stated.
fn first(view: &View, ix: CiIx, names: &[&str]) -> String {
    names.iter().map(|name| cell(view, ix, name)).find(|cell| !cell.is_empty()).unwrap_or_default()
}

fn name(view: &View, ix: CiIx) -> String {
    let legal = cell(view, ix, "legal_name");
    if legal.is_empty() { view.catalogue.ci(ix).name().to_owned() } else { legal }
}

/// Identifier of a party and what sort of identifier it is.
fn party(view: &View, ix: CiIx) -> [String; 2] {
    let lei = cell(view, ix, "lei");
    if !lei.is_empty() {
        return [lei, "LEI".to_owned()];
    }
    let number = cell(view, ix, "registration_number");
    if !number.is_empty() {
        return [number, "national register".to_owned()];
    }
    [view.catalogue.ci(ix).key.to_string(), "catalogue key".to_owned()]
}

/// The reference of a contract: its number, or else its key.
pub(super) fn reference(view: &View, ix: CiIx) -> String {
    let stated = cell(view, ix, "reference");
    if stated.is_empty() { view.catalogue.ci(ix).name().to_owned() } else { stated }
}

fn lei(material: &Material<'_>) -> String {
    material.entity.map(|ix| cell(material.view, ix, "lei")).unwrap_or_default()
}

fn entity(material: &Material<'_>) -> Template {
    let view = material.view;
    let row = |ix: CiIx| {
        vec![
            cell(view, ix, "lei"),
            name(view, ix),
            country(view, ix, "country"),
            String::new(),
            String::new(),
            material.asked.at.format("%Y-%m-%d").to_string(),
        ]
    };
    let columns = ["LEI", "name", "country", "type of entity", "competent authority", "reporting date"];
    template("B_01.01", "Entity keeping the register", &columns, material.entity.map(row).into_iter().collect())
}

fn in_scope(material: &Material<'_>) -> Template {
    let view = material.view;
    let row = |ix: CiIx| {
        let mut row = vec![cell(view, ix, "lei"), name(view, ix), country(view, ix, "country")];
        row.resize(11, String::new());
        row
    };
    let columns = [
        "LEI",
        "name",
        "country",
        "type of entity",
        "hierarchy",
        "parent LEI",
        "last update",
        "integration",
        "deletion",
        "currency",
        "total assets",
    ];
    template("B_01.02", "Entities in scope", &columns, material.entity.map(row).into_iter().collect())
}

fn contracts(material: &Material<'_>) -> Template {
    let view = material.view;
    let row = |one: &Bought| {
        let ix = one.contract;
        vec![
            reference(view, ix),
            cell(view, ix, "contract_type"),
            cell(view, ix, "overarching_reference"),
            currency(view, ix, "annual_cost"),
            cell(view, ix, "annual_cost"),
        ]
    };
    let columns = ["contract reference", "type", "overarching reference", "currency", "annual expense"];
    template("B_02.01", "Contracts: general", &columns, material.bought.iter().map(row).collect())
}

fn contracts_specific(material: &Material<'_>) -> Template {
    let view = material.view;
    let mut rows = Vec::new();
    for one in &material.bought {
        let functions: Vec<String> =
            one.functions.iter().map(|function| view.catalogue.ci(ci_of(*function)).key.to_string()).collect();
        let functions = if functions.is_empty() { vec![String::new()] } else { functions };
        for provider in &one.providers {
            for function in &functions {
                rows.push(specific(material, one.contract, *provider, function));
            }
        }
    }
    let columns = [
        "contract reference",
        "entity LEI",
        "provider id",
        "provider id type",
        "function id",
        "ICT service type",
        "start",
        "end",
        "reason of termination",
        "notice by the entity (days)",
        "notice by the provider (days)",
        "governing law",
        "country of provision",
        "data stored",
        "location at rest",
        "location of processing",
        "sensitivity",
        "reliance",
    ];
    template("B_02.02", "Contracts: specific", &columns, rows)
}

fn specific(material: &Material<'_>, contract: CiIx, provider: CiIx, function: &str) -> Vec<String> {
    let view = material.view;
    let of = |name| cell(view, contract, name);
    let [id, sort] = party(view, provider);
    let place = |name| country(view, contract, name);
    let at_rest = place("data_location");
    let stored = if at_rest.is_empty() { "" } else { "yes" };
    vec![
        reference(view, contract),
        lei(material),
        id,
        sort,
        function.to_owned(),
        of("ict_service_type"),
        of("start"),
        of("end"),
        of("termination_reason"),
        of("notice_days"),
        of("supplier_notice_days"),
        place("governing_law"),
        country(view, provider, "country"),
        stored.to_owned(),
        at_rest,
        place("processing_location"),
        of("data_classification"),
        of("reliance"),
    ]
}

fn linked(material: &Material<'_>) -> Template {
    let view = material.view;
    let rows = material.bought.iter().filter_map(|one| {
        let overarching = cell(view, one.contract, "overarching_reference");
        (!overarching.is_empty()).then(|| vec![reference(view, one.contract), overarching])
    });
    template("B_02.03", "Links between contracts", &["contract reference", "linked contract"], rows.collect())
}

fn signing_entities(material: &Material<'_>) -> Template {
    let rows = match material.entity {
        None => Vec::new(),
        Some(_) => {
            material.bought.iter().map(|one| vec![reference(material.view, one.contract), lei(material)]).collect()
        }
    };
    template("B_03.01", "Entities that sign", &["contract reference", "entity LEI"], rows)
}

fn signing_providers(material: &Material<'_>) -> Template {
    let view = material.view;
    let rows = material.bought.iter().flat_map(|one| {
        one.providers.iter().map(|provider| {
            let [id, sort] = party(view, *provider);
            vec![reference(view, one.contract), id, sort]
        })
    });
    let columns = ["contract reference", "provider id", "provider id type"];
    template("B_03.02", "Providers that sign", &columns, rows.collect())
}

fn internal_providers(material: &Material<'_>) -> Template {
    let view = material.view;
    let rows = material.bought.iter().flat_map(|one| {
        let internal = one.providers.iter().filter(|provider| cell(view, **provider, "supplier_type") == "internal");
        internal.map(|provider| vec![reference(view, one.contract), party(view, *provider)[0].clone()])
    });
    template("B_03.03", "Entities of the group that provide", &["contract reference", "provider LEI"], rows.collect())
}

fn using(material: &Material<'_>) -> Template {
    let rows = match material.entity {
        None => Vec::new(),
        Some(_) => material
            .bought
            .iter()
            .map(|one| {
                vec![reference(material.view, one.contract), lei(material), "not a branch".to_owned(), String::new()]
            })
            .collect(),
    };
    let columns = ["contract reference", "entity LEI", "nature", "branch id"];
    template("B_04.01", "Entities that use the services", &columns, rows)
}

fn providers(material: &Material<'_>) -> Template {
    let view = material.view;
    let row = |ix: CiIx| {
        let [id, sort] = party(view, ix);
        let owner = cell(view, ix, "ultimate_owner");
        let owner = crate::find(&view.catalogue, &owner).ok().map_or([owner, String::new()], |ix| party(view, ix));
        let [owner, owner_sort] = owner;
        vec![
            id,
            sort,
            cell(view, ix, "supplier_number"),
            name(view, ix),
            name(view, ix),
            "legal person".to_owned(),
            country(view, ix, "country"),
            currency(view, ix, "annual_spend"),
            cell(view, ix, "annual_spend"),
            owner,
            owner_sort,
        ]
    };
    let columns = [
        "provider id",
        "provider id type",
        "additional id",
        "legal name",
        "name in Latin letters",
        "type of person",
        "country of head office",
        "currency",
        "annual expense",
        "ultimate parent id",
        "ultimate parent id type",
    ];
    template("B_05.01", "Providers", &columns, all_of(view, SUPPLIER).map(row).collect())
}

fn chain(material: &Material<'_>) -> Template {
    let view = material.view;
    let mut rows = Vec::new();
    for one in &material.bought {
        let service = cell(view, one.contract, "ict_service_type");
        for (provider, rank, recipient) in &one.chain.links {
            let [id, sort] = party(view, *provider);
            let [to, to_sort] = recipient.map_or_else(Default::default, |recipient| party(view, recipient));
            rows.push(vec![reference(view, one.contract), service.clone(), id, sort, rank.to_string(), to, to_sort]);
        }
    }
    let columns = [
        "contract reference",
        "ICT service type",
        "provider id",
        "provider id type",
        "rank",
        "recipient id",
        "recipient id type",
    ];
    template("B_05.02", "Supply chain", &columns, rows)
}

fn functions(material: &Material<'_>) -> Template {
    let view = material.view;
    let row = |function: &keelson_graph::ItemIx| {
        let ix = ci_of(*function);
        let criticality = view.brief(ix).criticality.map(|criticality| criticality.to_string()).unwrap_or_default();
        vec![
            view.catalogue.ci(ix).key.to_string(),
            cell(view, ix, "regulated_function"),
            view.catalogue.ci(ix).name().to_owned(),
            lei(material),
            criticality,
            cell(view, ix, "criticality_reason"),
            first(view, ix, &["last_continuity_test", "last_verified"]),
            cell(view, ix, "rto_minutes"),
            cell(view, ix, "rpo_minutes"),
            amount(view, ix, "value_per_hour"),
        ]
    };
    let columns = [
        "function id",
        "licensed activity",
        "name",
        "entity LEI",
        "criticality",
        "reason",
        "last assessment",
        "RTO (minutes)",
        "RPO (minutes)",
        "impact of discontinuing (per hour)",
    ];
    template("B_06.01", "Functions", &columns, material.functions.iter().map(row).collect())
}

fn assessments(material: &Material<'_>) -> Template {
    let view = material.view;
    let mut rows = Vec::new();
    for one in material.bought.iter().filter(|one| !one.functions.is_empty()) {
        for provider in &one.providers {
            let [id, sort] = party(view, *provider);
            let months = cell(view, *provider, "substitution_months");
            let other = cell(view, *provider, "alternative_supplier");
            let reason = if months.is_empty() { String::new() } else { format!("{months} months to replace") };
            rows.push(vec![
                reference(view, one.contract),
                id,
                sort,
                cell(view, *provider, "substitutability"),
                reason,
                first(view, *provider, &["last_assessment"]),
                cell(view, *provider, "exit_plan"),
                cell(view, *provider, "reintegration_possible"),
                material.impact.get(provider).cloned().unwrap_or_default(),
                if other.is_empty() { String::new() } else { "yes".to_owned() },
                crate::find(&view.catalogue, &other).map_or(other, |ix| party(view, ix)[0].clone()),
            ]);
        }
    }
    let columns = [
        "contract reference",
        "provider id",
        "provider id type",
        "substitutability",
        "reason",
        "last audit",
        "exit plan",
        "reintegration possible",
        "impact of discontinuing",
        "alternative identified",
        "alternative id",
    ];
    template("B_07.01", "Assessment", &columns, rows)
}

fn definitions(material: &Material<'_>) -> Template {
    let view = material.view;
    let is_there = |class: &str| view.graph.item_numbers().any(|one| is_a(view, ci_of(one), class));
    let rows = [
        (
            "criticality",
            "low, medium, high or critical, as agreed with the business; functions listed are high or critical",
        ),
        (
            "impact of discontinuing",
            "services breached when the provider alone is lost, computed over the dependency graph",
        ),
    ];
    let rows = rows
        .iter()
        .filter(|_| is_there("service"))
        .map(|(term, meaning)| vec![(*term).to_owned(), (*meaning).to_owned()]);
    template("B_99.01", "Definitions of the entity", &["term", "meaning"], rows.collect())
}
