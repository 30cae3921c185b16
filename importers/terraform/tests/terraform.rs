//! What a Terraform state becomes, by fixtures of our own and by the demonstration estate.

use std::path::Path;

use keelson_import_terraform::{ORDER_CONFIDENCE, TerraformImporter};
use keelson_importer::conformance::{self, Expectations, assert_conforms, context};
use keelson_importer::{Context, EnvelopeError, Importer, Input, SourceFile};
use keelson_model::{Batch, FindingCode, Lifecycle, Observation, Scope};
use serde_json::{Value as Json, json};

const SECRETS: &[&str] = &["dummy-secret-7d1a", "demo-dummy-"];

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read_to_string(path).expect("the fixture is there")
}

fn files(files: &[(&str, &str)]) -> Input {
    Input::from_files(files.iter().map(|(name, text)| SourceFile::from_bytes(name, text.as_bytes())).collect())
}

fn read_all(input: &Input, context: &Context) -> Vec<Batch> {
    let batches = assert_conforms(&TerraformImporter, input, context, &Expectations { secrets: SECRETS, schema: None });
    let schema = keelson_model::builtin::schema([]).expect("the built-in schema holds");
    for observation in batches.iter().flat_map(|batch| &batch.observations) {
        let class = schema.classes.get(&observation.class).expect("the class is known");
        for (name, value) in &observation.attributes {
            let definition = class.attributes.get(name);
            let definition = definition.unwrap_or_else(|| panic!("{} has no attribute {name}", observation.class));
            definition.read(value).unwrap_or_else(|error| panic!("{}: {error}", observation.source_key));
        }
    }
    batches
}

fn read(name: &str) -> Batch {
    read_all(&files(&[(name, &text(name))]), &context("tf")).remove(0)
}

/// A state of these resources, of lineage `l`.
fn state(resources: &Json) -> Json {
    json!({"version": 4, "terraform_version": "1.9.0", "serial": 5, "lineage": "l", "outputs": {}, "resources": resources})
}

/// A resource of one instance or, by their keys, several.
fn resource(kind: &str, name: &str, instances: &Json) -> Json {
    json!({"mode": "managed", "type": kind, "name": name, "provider": "provider.aws", "instances": instances})
}

fn read_state(resources: &Json) -> Batch {
    read_all(&files(&[("a.tfstate", &state(resources).to_string())]), &context("tf")).remove(0)
}

fn observed<'a>(batch: &'a Batch, key: &str) -> &'a Observation {
    batch.observations.iter().find(|o| o.source_key.as_str() == key).expect("the batch describes it")
}

fn said(batch: &Batch, prefix: &str) -> Vec<String> {
    let said = conformance::spelled_out(std::slice::from_ref(batch)).into_iter();
    said.filter(|line| !line.contains(" part_of ")).map(|line| line.replace(prefix, "")).collect()
}

fn needs(batch: &Batch, prefix: &str) -> Vec<String> {
    let needs = batch.needs.iter().map(|need| {
        assert!(need.rule.is_none(), "the class says how many are needed");
        let members: Vec<_> = need.members.iter().map(|member| member.ci.as_str()).collect();
        let evidence = need.evidence.as_ref().expect("every need has evidence");
        let text =
            format!("{} '{}' {} {} ({evidence})", need.dependent.as_str(), need.name, need.kind, members.join(" "));
        text.replace(prefix, "")
    });
    needs.collect()
}

#[test]
fn attributes_and_creation_order_say_what_is_needed() {
    let batch = read("shop.tfstate");
    assert_eq!(
        said(&batch, "shop-lineage/"),
        [
            "aws_db_subnet_group.db depends_on aws_vpc.main",
            r#"aws_instance.web[0] (deposed 0a1b2c3d) attached_to aws_subnet.private["a"]"#,
            r#"aws_instance.web[0] attached_to aws_subnet.private["a"]"#,
            "aws_instance.web[0] built_from data.aws_ami.base",
            "aws_instance.web[0] depends_on aws_key_pair.ops",
            "aws_instance.web[0] protected_by aws_security_group.web",
            r#"aws_instance.web[1] attached_to aws_subnet.private["b"]"#,
            "aws_instance.web[1] built_from data.aws_ami.base",
            "aws_instance.web[1] depends_on aws_key_pair.ops",
            "aws_instance.web[1] protected_by aws_security_group.web",
            "aws_lb.shop protected_by aws_security_group.web",
            "aws_lb.shop routes_to aws_lb_listener.https",
            "aws_lb_listener.https routes_to aws_lb_target_group.web",
            "aws_lb_target_group_attachment.web[0] depends_on aws_instance.web[0]",
            "aws_lb_target_group_attachment.web[0] depends_on aws_lb_target_group.web",
            "aws_lb_target_group_attachment.web[1] depends_on aws_instance.web[1]",
            "aws_lb_target_group_attachment.web[1] depends_on aws_lb_target_group.web",
            "aws_route53_record.shop routes_to aws_lb.shop",
            "aws_security_group.db depends_on aws_security_group.web",
            "aws_vpc.main routes_to aws_internet_gateway.main",
            // The queue of the same module, not the one of the other instance of the module.
            r#"module.data["eu"].aws_lambda_function.worker depends_on module.data["eu"].module.queue.aws_sqs_queue.jobs"#,
            r#"module.data["eu"].aws_rds_cluster.orders attached_to aws_db_subnet_group.db"#,
            r#"module.data["eu"].aws_rds_cluster.orders protected_by aws_security_group.db"#,
            r#"module.data["eu"].aws_rds_cluster_instance.orders[0] attached_to aws_db_subnet_group.db"#,
            r#"module.data["eu"].aws_rds_cluster_instance.orders[1] attached_to aws_db_subnet_group.db"#,
        ]
    );
    assert_eq!(
        needs(&batch, "shop-lineage/"),
        [
            r#"aws_lb_listener.https 'aws_subnet.private' depends_on aws_subnet.private["a"] aws_subnet.private["b"] aws_subnet.private["c"] (iac_order)"#,
            r#"aws_db_subnet_group.db 'subnets' attached_to aws_subnet.private["a"] aws_subnet.private["b"] aws_subnet.private["c"] (attribute+iac_order)"#,
            r#"aws_lb.shop 'subnets' attached_to aws_subnet.private["a"] aws_subnet.private["b"] aws_subnet.private["c"] (attribute+iac_order)"#,
            "aws_lb_target_group.web 'targets' routes_to aws_instance.web[0] aws_instance.web[1] (attribute)",
            r#"module.data["eu"].aws_rds_cluster.orders 'databases' runs_on module.data["eu"].aws_rds_cluster_instance.orders[0] module.data["eu"].aws_rds_cluster_instance.orders[1] (attribute+iac_order)"#,
        ]
    );
}

#[test]
fn the_order_of_creation_is_weak_evidence() {
    let batch = read("shop.tfstate");
    for relationship in &batch.relationships {
        let by_order = relationship.evidence.as_deref() == Some("iac_order");
        assert_eq!(relationship.confidence, by_order.then_some(ORDER_CONFIDENCE), "{relationship:?}");
    }
    let explained = batch.relationships.iter().find(|r| r.kind == "protected_by").unwrap();
    assert_eq!(explained.evidence.as_deref(), Some("attribute+iac_order"));
    assert_eq!(explained.source_type.as_deref(), Some("vpc_security_group_ids"));
    let pointer = "shop.tfstate, /resources/9/instances/0/attributes/vpc_security_group_ids/0";
    assert_eq!(explained.position.to_string(), pointer);
}

#[test]
fn resources_keep_what_they_say() {
    let batch = read("shop.tfstate");
    assert!(batch.is_complete(), "{:?}", batch.findings);
    assert_eq!((batch.scope.as_str(), batch.cursor.as_deref()), ("lineage=shop-lineage", Some("17")));
    let web = observed(&batch, "shop-lineage/aws_instance.web[1]");
    assert_eq!(
        (web.class.as_str(), web.name.as_deref(), web.native_version),
        ("virtual-machine", Some("web-2"), Some(17))
    );
    let attributes: Vec<_> = web.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        attributes,
        [
            r#"account: "000011112222""#,
            r#"arn: "arn:aws:ec2:eu-west-1:000011112222:instance/i-0000000d2""#,
            r#"iac_address: "aws_instance.web[1]""#,
            r#"image: "ami-0000000f1""#,
            r#"instance_type: "t3.small""#,
            r#"ip_address: "10.0.2.10""#,
            r#"labels: ["Name=web-2"]"#,
            r#"native_id: "i-0000000d2""#,
            r#"power_state: "running""#,
            r#"provider: "aws""#,
            r#"provider_id: "aws:///eu-west-1b/i-0000000d2""#,
            r#"region: "eu-west-1""#,
            r#"resource_type: "aws_instance""#,
            r#"status: "tainted""#,
            r#"zone: "eu-west-1b""#,
        ]
    );
    let cluster = observed(&batch, r#"shop-lineage/module.data["eu"].aws_rds_cluster.orders"#);
    assert_eq!((cluster.class.as_str(), &cluster.attributes["encrypted"]), ("database-cluster", &json!(true)));
    let zone = observed(&batch, "shop-lineage/aws_route53_zone.shop");
    assert_eq!((&zone.attributes["fqdn"], &zone.attributes["visibility"]), (&json!("shop.example"), &json!("public")));
    let queue = observed(&batch, r#"shop-lineage/module.data["us"].module.queue.aws_sqs_queue.jobs"#);
    assert_eq!(queue.attributes["queue_type"], json!("fifo"));
    let worker = observed(&batch, r#"shop-lineage/module.data["eu"].aws_lambda_function.worker"#);
    assert!(!worker.attributes.contains_key("concurrency_limit"), "-1 means that there is no limit");
    let vpc = observed(&batch, "shop-lineage/aws_vpc.main");
    assert_eq!(vpc.attributes["labels"], json!(["Name=shop", "Owner=cloud"]));
}

#[test]
fn what_was_replaced_is_going_away() {
    let batch = read("shop.tfstate");
    let old = observed(&batch, "shop-lineage/aws_instance.web[0] (deposed 0a1b2c3d)");
    assert_eq!((old.lifecycle, &old.attributes["status"]), (Some(Lifecycle::Retired), &json!("deposed")));
    let new = observed(&batch, "shop-lineage/aws_instance.web[0]");
    assert_eq!(new.lifecycle, None);
    assert_ne!(old.native_id, new.native_id);
    let needed = batch.relationships.iter().any(|r| r.dependency.as_str().contains("deposed"));
    assert!(!needed, "nothing needs it any longer");
}

#[test]
fn what_was_looked_up_is_no_inventory() {
    let batch = read("shop.tfstate");
    assert!(batch.observations.iter().all(|o| !o.source_key.contains("data.aws_ami")));
    let image = batch.relationships.iter().find(|r| r.kind == "built_from").unwrap();
    let shown = format!("{:?}", image.dependency);
    assert!(shown.contains("machine-image") && shown.contains("base-2024"), "{shown}");
    let missing: Vec<_> = batch.findings.iter().filter(|f| f.code == FindingCode::MissingTarget).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].key.as_deref(), Some("shop-lineage/aws_key_pair.ops"));
}

#[test]
fn modules_contain_what_is_in_them() {
    let batch = read("shop.tfstate");
    let modules: Vec<_> = batch.observations.iter().filter(|o| o.class == "module").collect();
    let names: Vec<_> = modules.iter().filter_map(|module| module.name.as_deref()).collect();
    let expected = [
        r#"module.data["eu"]"#,
        r#"module.data["eu"].module.queue"#,
        r#"module.data["us"]"#,
        r#"module.data["us"].module.queue"#,
    ];
    assert_eq!(names, expected);
    let parts = conformance::spelled_out(std::slice::from_ref(&batch));
    let parts: Vec<_> = parts.iter().filter(|line| line.contains(" part_of shop-lineage/module")).collect();
    assert_eq!(parts.len(), 8, "{parts:?}");
}

#[test]
fn pairs_without_a_row_are_reported_once() {
    let volume = json!([{"attributes": {"id": "vol-0000000a1", "type": "gp3", "size": 8, "tags": ["a", "b"]}}]);
    let named = json!({"attributes": {"id": "x", "mirrors": ["vol-0000000a1"]}, "dependencies": ["aws_ebs_volume.v"]});
    let streams = json!([{"index_key": 0, "attributes": named["attributes"]}, {"index_key": 1, "attributes": named["attributes"]}]);
    let service = json!([{"attributes": {"id": "s", "name": "s", "task_definition": "arn:aws:ecs:eu-west-1:1:task-definition/t:1"}}]);
    let task = json!([{"attributes": {"id": "t", "arn": "arn:aws:ecs:eu-west-1:1:task-definition/t:1"}}]);
    let batch = read_state(&json!([
        resource("aws_ebs_volume", "v", &volume),
        resource("aws_kinesis_stream", "k", &streams),
        resource("aws_sqs_queue", "q", &json!([named])),
        resource("aws_ecs_service", "s", &service),
        resource("aws_ecs_task_definition", "t", &task),
    ]));
    assert_eq!(observed(&batch, "l/aws_ebs_volume.v").attributes["tags"], json!(["a", "b"]));
    let expected =
        ["aws_ecs_service.s depends_on aws_ecs_task_definition.t", "aws_sqs_queue.q depends_on aws_ebs_volume.v"];
    assert_eq!(said(&batch, "l/"), expected);
    let unknown = batch.findings.iter().filter(|f| f.code == FindingCode::UnknownRelationType);
    let unknown: Vec<_> = unknown.map(ToString::to_string).collect();
    assert_eq!(unknown.len(), 2);
    assert!(unknown[0].starts_with("a.tfstate, /resources/1/instances/0/attributes/mirrors/0: warning"), "{unknown:?}");
    assert!(
        unknown[0].contains("'mirrors' of aws_kinesis_stream names a resource of type aws_ebs_volume"),
        "{unknown:?}"
    );
    assert!(unknown[0].contains("2 of them are left out"), "{unknown:?}");
    assert!(batch.is_complete(), "nothing was refused");
}

#[test]
fn azure_resources_lie_in_each_other() {
    let batch = read("azure.tfstate");
    let said = conformance::spelled_out(std::slice::from_ref(&batch));
    let said: Vec<_> = said.iter().map(|line| line.replace("azure-lineage/azurerm_", "")).collect();
    assert_eq!(
        said,
        [
            "linux_virtual_machine.vm attached_to network_interface.vm",
            "linux_virtual_machine.vm part_of resource_group.rg",
            "network_interface.vm attached_to subnet.apps",
            "network_interface.vm part_of resource_group.rg",
            "network_security_group.apps part_of resource_group.rg",
            "subnet.apps depends_on resource_group.rg",
            "subnet.apps part_of virtual_network.net",
            "subnet.apps protected_by network_security_group.apps",
            "subnet_network_security_group_association.apps attached_to subnet.apps",
            "subnet_network_security_group_association.apps depends_on network_security_group.apps",
            "virtual_network.net part_of resource_group.rg",
        ]
    );
    let association = observed(&batch, "azure-lineage/azurerm_subnet_network_security_group_association.apps");
    assert!(!association.attributes.contains_key("resource_id"), "its id is the one of the subnet");
    let vm = observed(&batch, "azure-lineage/azurerm_linux_virtual_machine.vm");
    assert_eq!((&vm.attributes["account"], &vm.attributes["region"]), (&json!("0000-sub"), &json!("westeurope")));
}

#[test]
fn shown_states_and_plans_read_alike() {
    let show = read("show.json");
    assert_eq!(show.scope.as_str(), "file=show.json");
    let expected = [
        "module.work.aws_lambda_function.worker depends_on aws_iam_role.gone",
        "module.work.aws_lambda_function.worker depends_on data.aws_region.here",
    ];
    assert_eq!(said(&show, "show.json/"), expected);
    let expected = "module.work.aws_lambda_function.worker 'aws_sqs_queue.jobs' depends_on aws_sqs_queue.jobs[0] \
                    aws_sqs_queue.jobs[1] (iac_order)";
    assert_eq!(needs(&show, "show.json/"), [expected]);
    let mut given = context("tf");
    given.options.insert("lineage".to_owned(), "work".to_owned());
    let one = |name: &str| read_all(&files(&[(name, &text(name))]), &given).remove(0);
    let (show, plan) = (one("show.json"), one("plan.json"));
    assert_eq!((show.scope.as_str(), plan.scope.as_str()), ("lineage=work", "lineage=work"));
    assert_eq!((said(&show, ""), needs(&show, "")), (said(&plan, ""), needs(&plan, "")));
    assert_eq!(show.observations.len(), plan.observations.len());
    assert_eq!(observed(&show, "work/aws_sqs_queue.jobs[1]").attributes["status"], json!("tainted"));
}

#[test]
fn a_shown_state_that_nobody_named_is_refused() {
    let show = text("show.json");
    let importer = |names: &[&str], context: &Context| {
        let all: Vec<_> = names.iter().map(|name| (*name, show.as_str())).collect();
        TerraformImporter.normalise(&files(&all), context)
    };
    let usual = context("terraform");
    for names in [&["state.json"][..], &["p/state.json", "s/state.json"]] {
        let error = importer(names, &usual).unwrap_err();
        assert!(matches!(&error, EnvelopeError::Option { option, .. } if option == "lineage"), "{error}");
        assert!(error.to_string().contains("--option lineage="), "{error}");
    }
    let with_lineage = |lineage: &str| {
        let mut given = usual.clone();
        given.options.insert("lineage".to_owned(), lineage.to_owned());
        given
    };
    let known = |names: &[&str], context: &Context| -> Vec<(String, String)> {
        let batches = importer(names, context).unwrap();
        let jobs = |batch: &Batch| batch.observations.iter().map(|o| o.source_key.to_string()).min().unwrap();
        batches
            .iter()
            .map(|batch| (batch.scope.to_string(), jobs(batch).replace("aws_sqs_queue.jobs[0]", "")))
            .collect()
    };
    let pair = |scope: &str, prefix: &str| (scope.to_owned(), prefix.to_owned());
    // Two environments with files of one name are two.
    assert_eq!(known(&["state.json"], &with_lineage("prod")), [pair("lineage=prod", "prod/")]);
    assert_eq!(known(&["state.json"], &with_lineage("test")), [pair("lineage=test", "test/")]);
    let scoped = Context { scope: Some(Scope::named("prod")), ..usual.clone() };
    assert_eq!(known(&["state.json"], &scoped), [pair("prod", "prod/")]);
    // Several at once are told apart by where they lie below what was given.
    let both = ["p/state.json", "s/state.json"];
    let expected = ["p", "s"].map(|at| {
        let file = format!("{at}/state.json");
        pair(&format!("lineage=all/file={}", file.replace('/', "%2F")), &format!("all/{file}/"))
    });
    assert_eq!(known(&both, &with_lineage("all")), expected);
    let keys: Vec<_> = known(&both, &scoped).into_iter().map(|(_, key)| key).collect();
    assert!(keys[0] != keys[1] && keys.iter().all(|key| key.starts_with("prod/")), "{keys:?}");
    // A source of its own tells it from others as well.
    assert_eq!(known(&["state.json"], &context("prod-tf")), [pair("file=state.json", "state.json/")]);
}

#[test]
fn every_format_version_is_read_or_refused() {
    let importer = |name: &str, text: &str| TerraformImporter.normalise(&files(&[(name, text)]), &context("tf"));
    let shown = |version: Json| {
        let values = json!({"root_module": {"resources": []}});
        json!({"format_version": version, "terraform_version": "1", "values": values}).to_string()
    };
    for version in ["0.1", "0.2", "1.0", "1.2", "1.99"] {
        assert!(importer("a.json", &shown(json!(version))).is_ok(), "{version}");
    }
    for version in [json!("0.3"), json!("2.0"), json!("10.0"), json!(""), json!(1)] {
        let error = importer("a.json", &shown(version.clone())).unwrap_err();
        assert!(matches!(error, EnvelopeError::UnsupportedVersion { .. }), "{version}: {error}");
    }
    for version in [json!(1), json!(2), json!(3), json!(5), json!("4"), json!(null)] {
        let mut old = state(&json!([]));
        old["version"] = version.clone();
        let error = importer("a.tfstate", &old.to_string()).unwrap_err();
        assert!(matches!(error, EnvelopeError::UnsupportedVersion { .. }), "{version}: {error}");
        let folder = [("new.tfstate", state(&json!([])).to_string()), ("old.tfstate", old.to_string())];
        let folder = files(&[(folder[0].0, &folder[0].1), (folder[1].0, &folder[1].1)]);
        let error = TerraformImporter.normalise(&folder, &context("tf")).unwrap_err().to_string();
        assert!(error.starts_with("old.tfstate: ") && error.contains("leave old.tfstate out"), "{error}");
    }
}

#[test]
fn what_is_no_whole_state_stops_the_import() {
    let importer = |name: &str, text: &str| TerraformImporter.normalise(&files(&[(name, text)]), &context("tf"));
    let without = |field: &str| {
        let mut state = state(&json!([]));
        state.as_object_mut().unwrap().remove(field);
        state.to_string()
    };
    for text in [
        "",
        " \n",
        "{}",
        "[]",
        "null",
        "{\"error\": \"access denied\"}",
        "<html></html>",
        &without("lineage"),
        &without("serial"),
        &without("resources"),
        r#"{"format_version": "1.0", "terraform_version": "1.9.0"}"#,
        r#"{"format_version": "1.0", "terraform_version": "1.9.0", "planned_values": {}}"#,
        &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    ] {
        let error = importer("a.tfstate", text).unwrap_err();
        assert!(matches!(error, EnvelopeError::Unreadable { .. }), "{}: {error}", &text[..text.len().min(60)]);
    }
    let folder = [
        ("terraform.tfstate.d/a/a.tfstate", state(&json!([])).to_string()),
        ("terraform.tfstate.d/a.tfvars", "x".into()),
    ];
    let folder = files(&[(folder[0].0, &folder[0].1), (folder[1].0, &folder[1].1)]);
    assert_eq!(TerraformImporter.normalise(&folder, &context("tf")).map(|batches| batches.len()).ok(), Some(1));
    let other = [("package.json", "{\"name\": \"x\"}"), ("main.tf", "resource {}")];
    let error = TerraformImporter.normalise(&files(&other), &context("tf")).unwrap_err();
    assert!(matches!(error, EnvelopeError::NothingToRead { files: 2, .. }), "{error}");
    let mut given = context("tf");
    given.options.insert("lineage".to_owned(), " ".to_owned());
    let error = TerraformImporter.normalise(&files(&[("show.json", &text("show.json"))]), &given).unwrap_err();
    assert!(matches!(error, EnvelopeError::Option { .. }), "{error}");
}

#[test]
fn scopes_are_lineages_and_files_that_share_one() {
    let of = |lineage: &str, serial: u64| {
        let instances = json!([{"attributes": {"id": format!("{lineage}-{serial}")}}]);
        let mut state = state(&json!([resource("aws_vpc", "a", &instances)]));
        (state["lineage"], state["serial"]) = (json!(lineage), json!(serial));
        state.to_string()
    };
    let scopes = |batches: &[Batch]| batches.iter().map(|b| b.scope.to_string()).collect::<Vec<_>>();
    let (one, two, three) = (of("x", 4), of("x", 7), of("y", 1));
    let batches = read_all(&files(&[("a.tfstate", &one), ("b.tfstate", &two), ("c.tfstate", &three)]), &context("tf"));
    assert_eq!(scopes(&batches), ["lineage=x/file=a.tfstate", "lineage=x/file=b.tfstate", "lineage=y"]);
    let scoped = Context { scope: Some(Scope::named("prod")), ..context("tf") };
    let batches = read_all(&files(&[("a.tfstate", &one), ("c.tfstate", &three)]), &scoped);
    assert_eq!(scopes(&batches), ["prod/file=a.tfstate", "prod/file=c.tfstate"]);
    let batches = read_all(&files(&[("a.tfstate", &one)]), &scoped);
    assert_eq!(scopes(&batches), ["prod"]);
    // A state beside its backups: the highest serial is the state.
    let both = [("terraform.tfstate", one.as_str()), ("terraform.tfstate.backup", two.as_str())];
    let batches = read_all(&files(&both), &context("tf"));
    assert_eq!((batches.len(), batches[0].cursor.as_deref(), batches[0].scope.as_str()), (1, Some("7"), "lineage=x"));
    let older = batches[0].findings.iter().find(|f| f.code == FindingCode::OlderThanKnown).unwrap();
    assert!(older.to_string().starts_with("terraform.tfstate, /serial: warning older_than_known"), "{older}");
}

#[test]
fn the_demonstration_estate_can_be_imported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/keelson/demo");
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        read_all(&files(&[(name, &text)]), &context("terraform")).remove(0)
    };
    let (aws, google) = (read("aws-production.tfstate"), read("google-insight.tfstate"));
    assert!(aws.is_complete() && google.is_complete());
    let anchors = std::fs::read_to_string(folder.join("anchors.ndjson")).unwrap();
    let mut joined = 0;
    for line in anchors.lines().filter(|line| line.contains("\"arn\"")) {
        let ci: Json = serde_json::from_str(line).unwrap();
        let arn = &ci["ci"]["attributes"]["arn"];
        let same = aws.observations.iter().filter(|o| o.attributes.get("arn") == Some(arn)).collect::<Vec<_>>();
        assert_eq!(same.len(), 1, "{arn}");
        assert_eq!(json!(same[0].class.as_str()), ci["ci"]["class"]);
        joined += 1;
    }
    assert_eq!(joined, 7);
    assert_eq!(conformance::missing(std::slice::from_ref(&aws)).len(), 1);
    assert!(conformance::missing(&[aws])[0].ends_with("/aws_key_pair.ops_2024"));
    let named = |class: &str, name: &str| {
        google.observations.iter().filter(|o| o.class == class && o.name.as_deref() == Some(name)).count()
    };
    assert_eq!(named("object-store", "tarnmoor-archive-cold"), 1);
    assert_eq!(named("database", "insight-sql"), 1);
    assert!(google.findings.iter().all(|finding| finding.code == FindingCode::Redacted), "{:?}", google.findings);
}
