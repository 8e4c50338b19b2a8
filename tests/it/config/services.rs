//! What the file may say about single services.

use std::path::Path;

use migwatch::config::Config;
use migwatch::judge::settings::ServiceSettings;
use migwatch::model::service::ServiceId;

fn of_backend(text: &str) -> ServiceSettings {
    let config = Config::parse(text, Path::new("migwatch.toml")).expect("a right file");
    config.settings.services[&ServiceId::new("shop", "backend")].clone()
}

#[test]
fn an_empty_database_or_table_counts_as_left_out() {
    let left_out = of_backend("[project.shop.service.backend]\nrequired = true\n");
    let empty =
        of_backend("[project.shop.service.backend]\nrequired = true\ndatabase = \"\"\ntable = \"\"\n");
    assert_eq!(empty, left_out);
}
