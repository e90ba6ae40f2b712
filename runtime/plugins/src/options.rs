//! A call's options: from words to values of their types, and the defaults of those that were left out.

use std::collections::BTreeMap;

use serde_json::Value;
use spoor_plugin_abi::{Function, Parameter, Type};
use spoor_table::{Value as KustoValue, format, parse};

use crate::Failure;

/// The value of an option from what a person typed. Kusto's spellings of a datetime (`2024-05-01`) and a timespan
/// (`1h`) are read; so are their ticks.
///
/// # Errors
/// What is expected instead.
pub fn parse_option(parameter: &Parameter, text: &str) -> Result<Value, Failure> {
    let Some(ty) = parameter.types.to_vec().first().copied() else {
        return Err(Failure::Argument(format!(
            "the option {} has no type",
            parameter.name
        )));
    };
    let ticks = |read: fn(&str) -> Option<i64>| text.parse().ok().or_else(|| read(text));
    let value = match ty {
        Type::Bool => parse::boolean(text).map(Value::from),
        Type::Int => text.parse::<i32>().ok().map(Value::from),
        Type::Long => parse::long(text).map(Value::from),
        Type::Real => parse::real(text)
            .filter(|number| number.is_finite())
            .map(Value::from),
        Type::Decimal => parse::decimal(text).map(|_| Value::from(text)),
        Type::DateTime => ticks(parse::datetime).map(Value::from),
        Type::TimeSpan => ticks(parse::timespan).map(Value::from),
        Type::String => Some(Value::from(text)),
        Type::Guid => parse::guid(text).map(Value::from),
        Type::Dynamic => serde_json::from_str(text).ok(),
    };
    value.ok_or_else(|| {
        Failure::Argument(format!(
            "the option {} is of type {ty}, and '{text}' is none: {}",
            parameter.name,
            example(ty)
        ))
    })
}

/// The value of an option from one of Kusto's: ticks for times, JSON for dynamics. `None` for null.
pub fn option_value(value: &KustoValue) -> Option<Value> {
    Some(match value {
        KustoValue::Bool(value) => Value::from(*value),
        KustoValue::Int(value) => Value::from(*value),
        KustoValue::Long(value) | KustoValue::DateTime(value) | KustoValue::TimeSpan(value) => {
            Value::from(*value)
        }
        KustoValue::Real(value) => Value::from(*value),
        KustoValue::Dynamic(value) => serde_json::from_str(&value.view().to_json()).ok()?,
        KustoValue::String(text) | KustoValue::Guid(text) => Value::from(text.as_str()),
        KustoValue::Decimal(_) => Value::from(format::text(value.cell())),
        KustoValue::Null(_) => return None,
    })
}

fn example(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "write true or false",
        Type::Int | Type::Long => "write a whole number, as 42",
        Type::Real | Type::Decimal => "write a number, as 0.5",
        Type::DateTime => "write a time, as 2024-05-01T12:00:00Z",
        Type::TimeSpan => "write a length of time, as 1h or 00:30:00",
        Type::String => "write text",
        Type::Guid => "write a guid, as 74be27de-1e4e-49d9-b579-fe0b331d3642",
        Type::Dynamic => "write JSON, as [1, 2]",
    }
}

/// Every option of a function: what was given, and the defaults of the rest.
///
/// # Errors
/// An option that there is not, one that is missing, or a value of another type.
pub fn complete(
    function: &Function,
    given: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, Failure> {
    if let Some(name) = given
        .keys()
        .find(|name| function.options().all(|option| option.name != **name))
    {
        let known: Vec<&str> = function.options().map(|o| o.name.as_str()).collect();
        let known = match known.is_empty() {
            true => "it takes none".into(),
            false => format!("it takes {}", known.join(", ")),
        };
        return Err(Failure::Argument(format!(
            "{} has no option '{name}': {known}",
            function.name
        )));
    }
    function
        .options()
        .map(|option| value_of(function, option, given.get(&option.name)))
        .collect()
}

fn value_of(
    function: &Function,
    option: &Parameter,
    given: Option<&Value>,
) -> Result<(String, Value), Failure> {
    let value = given.or(option.default.as_ref()).ok_or_else(|| {
        Failure::Argument(format!(
            "{} needs the option {}, which has no default",
            function.name, option.name
        ))
    })?;
    if option.types.to_vec().iter().all(|ty| !ty.admits(value)) {
        let wanted: Vec<&str> = option.types.to_vec().iter().map(|ty| ty.name()).collect();
        return Err(Failure::Argument(format!(
            "the option {} is of type {}, and {value} is none",
            option.name,
            wanted.join(" or ")
        )));
    }
    Ok((option.name.clone(), value.clone()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn option(ty: &str) -> Parameter {
        serde_json::from_value(json!({"name": "o", "kind": "option", "type": ty})).unwrap()
    }

    #[test]
    fn options_are_read_by_their_types() {
        let read = |ty: &str, text: &str| parse_option(&option(ty), text).ok();
        assert_eq!(read("bool", "true"), Some(json!(true)));
        assert_eq!(read("int", "3000000000"), None);
        assert_eq!(read("long", "3000000000"), Some(json!(3_000_000_000_i64)));
        assert_eq!(read("real", "0.5"), Some(json!(0.5)));
        assert_eq!(read("real", "nan"), None);
        assert_eq!(read("decimal", "1.10"), Some(json!("1.10")));
        assert_eq!(read("timespan", "1h"), Some(json!(36_000_000_000_i64)));
        assert_eq!(read("datetime", "1"), Some(json!(1)));
        assert_eq!(
            read("datetime", "1970-01-01"),
            Some(json!(621_355_968_000_000_000_i64))
        );
        assert_eq!(read("dynamic", "[1"), None);
        assert_eq!(read("string", ""), Some(json!("")));
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let function: Function = serde_json::from_value(json!({
            "name": "f", "summary": "F", "input": "none",
            "parameters": [
                {"name": "a", "kind": "option", "type": "long", "default": 3},
                {"name": "b", "kind": "option", "type": "string"},
            ],
            "output": {"rows": "free", "columns": [{"name": "X", "type": "long"}]},
        }))
        .unwrap();
        let given = |value| BTreeMap::from([("b".to_owned(), value)]);
        let all = complete(&function, &given(json!("x"))).unwrap();
        assert_eq!(json!(all), json!({"a": 3, "b": "x"}));
        let told = |given| complete(&function, &given).unwrap_err().to_string();
        assert!(told(BTreeMap::new()).contains("needs the option b"));
        assert!(told(given(json!(1))).contains("is of type string"));
        let odd = BTreeMap::from([("c".to_owned(), json!(1))]);
        assert!(told(odd).contains("it takes a, b"));
    }
}
