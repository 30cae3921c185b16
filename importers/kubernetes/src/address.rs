//! Addresses of Services in the environment of containers: `name:port`, `name.namespace:port`,
//! `name.namespace.svc.cluster.local:port`.

use std::collections::HashSet;

use keelson_importer::redaction;

use crate::table::ADDRESS_WORDS;

/// The Services of an import, by namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Services(HashSet<(String, String)>);

impl Services {
    pub(crate) fn add(&mut self, namespace: &str, name: &str) {
        self.0.insert((namespace.to_owned(), name.to_owned()));
    }

    fn has(&self, namespace: &str, name: &str) -> bool {
        self.0.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// The namespace and name of the Service whose address a variable holds; nothing where it
    /// holds anything else.
    ///
    /// A bare `name:port` is taken for an address when there is such a Service, or when the name
    /// of the variable says that it is one: `admin:12345` is more often something to keep secret.
    pub(crate) fn read(&self, variable: &str, value: &str, namespace: &str) -> Option<(String, String)> {
        if redaction::is_secret_name(variable) || redaction::is_secret_value(value) {
            return None;
        }
        let (host, port) = value.rsplit_once(':')?;
        let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        if !is_port || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return None;
        }
        let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
        let name = labels.next().filter(|name| is_label(name) && *name != "localhost")?;
        let service = |namespace: &str| (namespace.to_owned(), name.to_owned());
        let Some(of) = labels.next() else {
            let certain = self.has(namespace, name) || says_address(variable);
            return certain.then(|| service(namespace));
        };
        if !is_label(of) {
            return None;
        }
        match labels.next() {
            None => self.has(of, name).then(|| service(of)),
            Some("svc") => labels.all(is_label).then(|| service(of)),
            Some(_) => None,
        }
    }
}

/// Whether the name of a variable says that its value is an address.
fn says_address(variable: &str) -> bool {
    variable
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| ADDRESS_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// Whether a text can be one label of the name of a Service (RFC 1035: it begins with a letter).
fn is_label(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(inside)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(variable: &str, value: &str) -> Option<String> {
        let mut services = Services::default();
        services.add("shop", "carts");
        services.add("pay", "api");
        services.read(variable, value, "shop").map(|(namespace, name)| format!("{namespace}/{name}"))
    }

    #[test]
    fn addresses_are_told_from_other_values() {
        let found = [
            ("X", "carts:80", "shop/carts"),
            ("X", "api.pay:80", "pay/api"),
            ("X", "api.pay.svc:80", "pay/api"),
            ("X", "gone.pay.svc.cluster.local.:80", "pay/gone"),
            ("LOYALTY_ADDR", "loyalty:8080", "shop/loyalty"),
            ("loyalty-service", "loyalty:8080", "shop/loyalty"),
        ];
        for (variable, value, expected) in found {
            assert_eq!(read(variable, value).as_deref(), Some(expected), "{value}");
        }
        let other = [
            ("X", "admin:12345"),
            ("X", "carts"),
            ("X", "carts:"),
            ("X", "carts:0"),
            ("X", "carts:70000"),
            ("X", "carts:+80"),
            ("X", "alpine:3.11"),
            ("X_ADDR", "localhost:80"),
            ("X_ADDR", "10.0.0.1:80"),
            ("X_ADDR", "0.0.0.0:80"),
            ("X_ADDR", ":80"),
            ("X_ADDR", "example.com:443"),
            ("X_ADDR", "db.example.com:443"),
            ("X_ADDR", "http://carts:80"),
            ("X_ADDR", "user:pass@carts:80"),
            ("X_TOKEN", "carts:80"),
            ("X", "api.shop:80"),
        ];
        for (variable, value) in other {
            assert_eq!(read(variable, value), None, "{variable}={value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_can_be_named(variable in "[A-Z_]{0,12}", value in "[a-z0-9.:@/-]{0,40}") {
            if let Some(found) = read(&variable, &value) {
                prop_assert!(found.split('/').all(is_label) && value.contains(':'));
            }
        }
    }
}
