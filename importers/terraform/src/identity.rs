//! What a resource is outside of Terraform: platform, account, region and global identifier.

use serde_json::Value as Json;

use crate::instance::Instance;
use crate::table::{self, Standing};

/// What is known of the real thing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) arn: Option<String>,
    /// The globally unique identifier where there is no ARN.
    pub(crate) resource_id: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    /// How a cluster names the machine beneath one of its Nodes.
    pub(crate) provider_id: Option<String>,
}

/// Reads the identity of an instance. Nothing is assumed: an account or region that the resource
/// does not name stays unknown.
pub(crate) fn of(instance: &Instance<'_>) -> Identity {
    let kind = instance.address.kind.as_str();
    let platform = provider_type(instance.provider).and_then(table::platform).map(str::to_owned);
    let mut identity = Identity { platform, ..Identity::default() };
    let (_, standing) = table::class(kind);
    if kind.starts_with("aws_") {
        of_aws(&mut identity, instance, standing);
    } else if kind.starts_with("azurerm_") {
        of_azure(&mut identity, instance, standing);
    } else if kind.starts_with("google_") {
        of_google(&mut identity, instance, standing);
    } else if standing != Standing::Setting && table::UNIQUE_IDS.iter().any(|beginning| kind.starts_with(beginning)) {
        identity.resource_id = instance.text("id").filter(|id| is_uuid(id)).map(str::to_owned);
    }
    let text = |attribute: &str| instance.text(attribute).map(str::to_owned);
    identity.account =
        identity.account.or_else(|| text("project")).or_else(|| text("owner_id").filter(|_| kind.starts_with("aws_")));
    identity.region = identity.region.or_else(|| text("region")).or_else(|| text("location"));
    identity
}

/// The type of a provider: `aws` for `provider.aws.east`, for
/// `provider["registry.terraform.io/hashicorp/aws"]` with or without a module before it, and for
/// the address alone. The host it was fetched from says nothing about the resource.
pub(crate) fn provider_type(provider: &str) -> Option<&str> {
    let address = match provider.split_once("provider[\"") {
        Some((_, behind)) => behind.split_once('"').map_or(behind, |(address, _)| address),
        None => match provider.rsplit_once("provider.") {
            Some((_, behind)) => behind.split_once('.').map_or(behind, |(name, _)| name),
            None => provider,
        },
    };
    let name = address.rsplit('/').next().unwrap_or(address);
    (!name.is_empty()).then_some(name)
}

/// Partition, service, region, account and resource of an ARN.
struct Arn<'a> {
    region: &'a str,
    account: &'a str,
}

fn arn(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    let (prefix, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = prefix == "arn" && !partition.is_empty() && !service.is_empty() && !resource.is_empty();
    whole.then_some(Arn { region, account })
}

fn of_aws(identity: &mut Identity, instance: &Instance<'_>, standing: Standing) {
    let stated = instance.text("arn").or_else(|| instance.text("id")).filter(|text| arn(text).is_some());
    if let Some((text, arn)) = stated.and_then(|text| Some((text, arn(text)?))) {
        let said = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        (identity.account, identity.region) = (said(arn.account), said(arn.region));
        // The attribute `arn` of a policy is the one of what it is about.
        if standing != Standing::Setting {
            identity.arn = Some(text.to_owned());
        }
    }
    if instance.address.kind == "aws_instance"
        && let (Some(zone), Some(id)) = (instance.text("availability_zone"), instance.text("id"))
    {
        identity.provider_id = Some(format!("aws:///{zone}/{id}"));
    }
}

fn of_azure(identity: &mut Identity, instance: &Instance<'_>, standing: Standing) {
    let Some(id) = instance.text("id").filter(|id| is_azure_id(id)) else { return };
    identity.account = id.split('/').nth(2).map(str::to_owned);
    if standing == Standing::Setting {
        return;
    }
    identity.resource_id = Some(id.to_owned());
    if instance.address.kind.ends_with("virtual_machine") {
        identity.provider_id = Some(format!("azure://{id}"));
    }
}

/// Whether a text is the identifier of one Azure resource.
pub(crate) fn is_azure_id(text: &str) -> bool {
    const BEGINNING: &str = "/subscriptions/";
    text.len() > BEGINNING.len()
        && text.get(..BEGINNING.len()).is_some_and(|head| head.eq_ignore_ascii_case(BEGINNING))
        && !text.contains('|')
}

fn of_google(identity: &mut Identity, instance: &Instance<'_>, standing: Standing) {
    let kind = instance.address.kind.as_str();
    let zone = instance.text("zone").map(|zone| zone.rsplit('/').next().unwrap_or(zone));
    // A zone is named after its region and a letter.
    identity.region = zone.and_then(|zone| Some(zone.rsplit_once('-')?.0.to_owned()));
    if identity.region.is_none() {
        identity.region = instance.text("region").map(|region| region.rsplit('/').next().unwrap_or(region).to_owned());
    }
    let full = instance.text("self_link").map(google_path).filter(|path| path.starts_with("projects/"));
    let path = full.or_else(|| instance.text("id").filter(|id| id.starts_with("projects/")));
    identity.account = path.and_then(|path| path.split('/').nth(1)).map(str::to_owned);
    if standing != Standing::Known {
        return;
    }
    let service = table::GOOGLE_SERVICES.iter().find(|(beginning, _)| kind.starts_with(beginning));
    identity.resource_id = match (kind, service, path) {
        ("google_storage_bucket", _, _) => instance.text("name").map(|name| format!("//storage.googleapis.com/{name}")),
        (_, Some((_, service)), Some(path)) => Some(format!("//{service}/{path}")),
        _ => None,
    };
    if kind == "google_compute_instance"
        && let (Some(project), Some(zone), Some(name)) = (&identity.account, zone, instance.text("name"))
    {
        identity.provider_id = Some(format!("gce://{project}/{zone}/{name}"));
    }
}

/// Whether a text is a UUID, which nothing else in the world has.
pub(crate) fn is_uuid(text: &str) -> bool {
    let mut lengths = text.split('-').map(str::len);
    [8, 4, 4, 4, 12].into_iter().all(|length| lengths.next() == Some(length))
        && lengths.next().is_none()
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// The part of a Google address from the project on: of the links of all versions of an
/// interface the same.
pub(crate) fn google_path(link: &str) -> &str {
    let host = link.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    match host {
        Some((host, path)) if host.ends_with("googleapis.com") => path.find("projects/").map_or(link, |at| &path[at..]),
        _ => link,
    }
}

/// The value by which a source tells lifetimes of one address apart.
pub(crate) fn lifetime(instance: &Instance<'_>, identity: &Identity) -> Option<String> {
    let id = instance.at("/id").and_then(Json::as_str).filter(|id| !id.trim().is_empty());
    identity.arn.clone().or_else(|| id.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_provider_is_read_from_every_spelling() {
        for (written, expected) in [
            ("provider.aws", Some("aws")),
            ("provider.aws.east", Some("aws")),
            ("module.a.provider.google-beta", Some("google-beta")),
            (r#"provider["registry.terraform.io/hashicorp/aws"]"#, Some("aws")),
            (r#"module.a.provider["registry.opentofu.org/hashicorp/azurerm"].west"#, Some("azurerm")),
            ("registry.terraform.io/hashicorp/google", Some("google")),
            ("aws", Some("aws")),
            ("", None),
        ] {
            assert_eq!(provider_type(written), expected, "{written}");
        }
    }

    #[test]
    fn identifiers_are_recognised() {
        assert!(arn("arn:aws:s3:::bucket").is_some_and(|arn| arn.region.is_empty() && arn.account.is_empty()));
        assert!(arn("arn:aws:rds:eu-west-1:1:db:x").is_some_and(|arn| arn.region == "eu-west-1" && arn.account == "1"));
        for bad in ["", "arn:aws:s3", "urn:aws:s3:::bucket", "arn:aws:s3:::"] {
            assert!(arn(bad).is_none(), "{bad}");
        }
        assert!(is_azure_id("/Subscriptions/1/resourceGroups/a"));
        assert!(!is_azure_id("/subscriptions/1/a|/subscriptions/1/b"));
        assert_eq!(google_path("https://www.googleapis.com/compute/beta/projects/p/zones/z"), "projects/p/zones/z");
        assert_eq!(google_path("https://example.org/projects/p"), "https://example.org/projects/p");
    }
}
