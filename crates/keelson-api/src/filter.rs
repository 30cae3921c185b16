//! Filters and orders of lists.
//!
//! Those of configuration items become conditions of the catalogue, which the command line uses
//! too. Those of relationships, needs, imports and review tasks are small and evaluated here.

use async_graphql::{Enum, InputObject};
use keelson_catalogue::query::{Condition, Field, MAX_CONDITION_DEPTH, MAX_PREDICATES, OrderBy, Test};
use keelson_model::{Symbol, Value};

use crate::errors::Refusal;
use crate::limits::MOST_VALUES;
use crate::types::attribute::AttributeValueInput;
use crate::types::words::{Criticality, Lifecycle, SortDirection, Standing};

/// Most keys a list is sorted by, besides the identifier.
const MOST_ORDERS: usize = 3;

fn few(values: usize) -> Result<(), Refusal> {
    if values > MOST_VALUES {
        return Err(Refusal::input(format!("in and notIn take {MOST_VALUES} values; {values} were given")));
    }
    Ok(())
}

/// A test of a text. All that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct StringFilter {
    /// Equal to this.
    pub eq: Option<String>,
    /// Not equal to this, or absent.
    pub ne: Option<String>,
    /// Equal to one of these, at most 100.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<String>>,
    /// Equal to none of these, at most 100, or absent.
    pub not_in: Option<Vec<String>>,
    /// Before this in order of code points.
    pub lt: Option<String>,
    /// Before or equal to this.
    pub lte: Option<String>,
    /// Behind this.
    pub gt: Option<String>,
    /// Behind or equal to this.
    pub gte: Option<String>,
    /// Contains this, without regard to ASCII case.
    pub contains: Option<String>,
    /// Begins with this, without regard to ASCII case.
    pub starts_with: Option<String>,
    /// Absent (`true`), or present (`false`).
    pub is_null: Option<bool>,
}

impl StringFilter {
    fn tests(&self) -> Result<Vec<Test>, Refusal> {
        let texts = |values: &[String]| values.iter().map(|text| Value::text(text)).collect::<Vec<_>>();
        let one = |text: &String| vec![Value::text(text)];
        let mut tests = Vec::new();
        tests.extend(self.eq.as_ref().map(|text| Test::Is(one(text))));
        tests.extend(self.ne.as_ref().map(|text| Test::IsNot(one(text))));
        for values in self.one_of.iter().chain(&self.not_in) {
            few(values.len())?;
        }
        tests.extend(self.one_of.as_ref().map(|values| Test::Is(texts(values))));
        tests.extend(self.not_in.as_ref().map(|values| Test::IsNot(texts(values))));
        tests.extend(self.lt.as_ref().map(|text| Test::Less(Value::text(text))));
        tests.extend(self.lte.as_ref().map(|text| Test::AtMost(Value::text(text))));
        tests.extend(self.gt.as_ref().map(|text| Test::Greater(Value::text(text))));
        tests.extend(self.gte.as_ref().map(|text| Test::AtLeast(Value::text(text))));
        tests.extend(self.contains.clone().map(Test::Contains));
        tests.extend(self.starts_with.clone().map(Test::StartsWith));
        tests.extend(self.is_null.map(Test::IsNull));
        Ok(tests)
    }

    /// Whether one of the texts fulfils it; of no text, whether absence does.
    pub(crate) fn holds<'a>(&self, texts: &(impl Iterator<Item = &'a str> + Clone)) -> bool {
        let any = |wanted: &dyn Fn(&str) -> bool| texts.clone().any(wanted);
        let lower = str::to_ascii_lowercase;
        let fits = |given: &Option<String>, wanted: &dyn Fn(&str, &str) -> bool| {
            given.as_ref().is_none_or(|given| any(&|text| wanted(text, given)))
        };
        fits(&self.eq, &|text, given| text == given)
            && self.ne.as_ref().is_none_or(|given| !any(&|text| text == given))
            && self.one_of.as_ref().is_none_or(|given| any(&|text| given.iter().any(|given| given == text)))
            && self.not_in.as_ref().is_none_or(|given| !any(&|text| given.iter().any(|given| given == text)))
            && fits(&self.lt, &|text, given| text < given)
            && fits(&self.lte, &|text, given| text <= given)
            && fits(&self.gt, &|text, given| text > given)
            && fits(&self.gte, &|text, given| text >= given)
            && fits(&self.contains, &|text, given| lower(text).contains(&lower(given)))
            && fits(&self.starts_with, &|text, given| lower(text).starts_with(&lower(given)))
            && self.is_null.is_none_or(|wanted| texts.clone().next().is_none() == wanted)
    }

    /// Checks its limits and counts its predicates.
    pub(crate) fn check(&self) -> Result<usize, Refusal> {
        Ok(self.tests()?.len())
    }
}

macro_rules! word_filters {
    ($($(#[$doc:meta])* $name:ident, $word:ident, $model:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, InputObject)]
        pub struct $name {
            /// Equal to this.
            pub eq: Option<$word>,
            /// Not equal to this, or absent.
            pub ne: Option<$word>,
            /// Equal to one of these.
            #[graphql(name = "in")]
            pub one_of: Option<Vec<$word>>,
            /// Equal to none of these, or absent.
            pub not_in: Option<Vec<$word>>,
            /// Less than this.
            pub lt: Option<$word>,
            /// At most this.
            pub lte: Option<$word>,
            /// More than this.
            pub gt: Option<$word>,
            /// At least this.
            pub gte: Option<$word>,
            /// Absent (`true`), or present (`false`).
            pub is_null: Option<bool>,
        }

        impl $name {
            fn tests(&self) -> Result<Vec<Test>, Refusal> {
                let text = |word: $word| Value::text(<$model>::from(word).as_str());
                let texts = |words: &Vec<$word>| words.iter().map(|word| text(*word)).collect::<Vec<_>>();
                for values in self.one_of.iter().chain(&self.not_in) {
                    few(values.len())?;
                }
                let mut tests = Vec::new();
                tests.extend(self.eq.map(|word| Test::Is(vec![text(word)])));
                tests.extend(self.ne.map(|word| Test::IsNot(vec![text(word)])));
                tests.extend(self.one_of.as_ref().map(|words| Test::Is(texts(words))));
                tests.extend(self.not_in.as_ref().map(|words| Test::IsNot(texts(words))));
                tests.extend(self.lt.map(|word| Test::Less(text(word))));
                tests.extend(self.lte.map(|word| Test::AtMost(text(word))));
                tests.extend(self.gt.map(|word| Test::Greater(text(word))));
                tests.extend(self.gte.map(|word| Test::AtLeast(text(word))));
                tests.extend(self.is_null.map(Test::IsNull));
                Ok(tests)
            }
        }
    )*};
}

word_filters! {
    /// A test of a stage of life. All that is given must hold.
    LifecycleFilter, Lifecycle, keelson_model::Lifecycle;
    /// A test of a criticality. All that is given must hold.
    CriticalityFilter, Criticality, keelson_model::Criticality;
    /// A test of what is known of a record's existence. All that is given must hold.
    StandingFilter, Standing, keelson_model::Standing;
}

/// A test of an attribute. All that is given must hold.
#[derive(Clone, Debug, InputObject)]
pub struct AttributeFilter {
    /// The attribute.
    pub name: String,
    /// Equal to this; of a list, one of its values is.
    pub eq: Option<AttributeValueInput>,
    /// Not equal to this, or absent.
    pub ne: Option<AttributeValueInput>,
    /// Equal to one of these, at most 100.
    #[graphql(name = "in")]
    pub one_of: Option<Vec<AttributeValueInput>>,
    /// Equal to none of these, at most 100, or absent.
    pub not_in: Option<Vec<AttributeValueInput>>,
    /// Less than this; numbers with units are converted.
    pub lt: Option<AttributeValueInput>,
    /// At most this.
    pub lte: Option<AttributeValueInput>,
    /// More than this.
    pub gt: Option<AttributeValueInput>,
    /// At least this.
    pub gte: Option<AttributeValueInput>,
    /// Contains this text, without regard to ASCII case.
    pub contains: Option<String>,
    /// Begins with this text, without regard to ASCII case.
    pub starts_with: Option<String>,
    /// Absent (`true`), or present (`false`).
    pub is_null: Option<bool>,
}

impl AttributeFilter {
    fn tests(&self) -> Result<Vec<Test>, Refusal> {
        let mut tests = Vec::new();
        let mut one = |given: &Option<AttributeValueInput>, test: fn(Value) -> Test| {
            if let Some(given) = given {
                tests.push(test(given.value()?));
            }
            Ok::<_, Refusal>(())
        };
        one(&self.eq, |value| Test::Is(vec![value]))?;
        one(&self.ne, |value| Test::IsNot(vec![value]))?;
        one(&self.lt, Test::Less)?;
        one(&self.lte, Test::AtMost)?;
        one(&self.gt, Test::Greater)?;
        one(&self.gte, Test::AtLeast)?;
        let mut several = |given: &Option<Vec<AttributeValueInput>>, test: fn(Vec<Value>) -> Test| {
            if let Some(given) = given {
                few(given.len())?;
                tests.push(test(given.iter().map(AttributeValueInput::value).collect::<Result<_, _>>()?));
            }
            Ok::<_, Refusal>(())
        };
        several(&self.one_of, Test::Is)?;
        several(&self.not_in, Test::IsNot)?;
        tests.extend(self.contains.clone().map(Test::Contains));
        tests.extend(self.starts_with.clone().map(Test::StartsWith));
        tests.extend(self.is_null.map(Test::IsNull));
        Ok(tests)
    }
}

/// Which configuration items. All that is given must hold. At most 8 levels and 50 predicates.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ConfigurationItemWhere {
    /// All of these hold.
    pub and: Option<Vec<ConfigurationItemWhere>>,
    /// One of these holds.
    pub or: Option<Vec<ConfigurationItemWhere>>,
    /// This does not hold.
    pub not: Option<Box<ConfigurationItemWhere>>,
    /// Its key.
    pub key: Option<StringFilter>,
    /// Its name.
    pub name: Option<StringFilter>,
    /// Its class; `eq`, `ne`, `in` and `notIn` take the classes below into account.
    pub class: Option<StringFilter>,
    /// Its stage of life.
    pub lifecycle: Option<LifecycleFilter>,
    /// How much depends on it.
    pub criticality: Option<CriticalityFilter>,
    /// What is known of its existence.
    pub standing: Option<StandingFilter>,
    /// A source that claims it.
    pub source: Option<StringFilter>,
    /// An attribute.
    pub attribute: Option<AttributeFilter>,
}

impl ConfigurationItemWhere {
    /// The condition it stands for, within its limits.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it is beyond its limits or names a unit nobody knows.
    pub fn condition(&self) -> Result<Condition, Refusal> {
        // Predicates themselves are counted by the condition.
        check_nodes(self, |_| Ok(1), Self::inner)?;
        let condition = self.unchecked(1)?;
        condition.check().map_err(|error| Refusal::input(error.to_string()))?;
        Ok(condition)
    }

    fn inner(&self) -> Vec<&Self> {
        self.and.iter().chain(&self.or).flatten().chain(self.not.as_deref()).collect()
    }

    /// Recursion is as deep as the condition may be; a deeper one is refused on the way.
    fn unchecked(&self, depth: usize) -> Result<Condition, Refusal> {
        if depth > MAX_CONDITION_DEPTH {
            let message = format!("a filter may be nested {MAX_CONDITION_DEPTH} deep; this one is deeper");
            return Err(Refusal::input(message));
        }
        let mut all = Vec::new();
        let inner = |list: &[Self]| list.iter().map(|one| one.unchecked(depth + 1)).collect::<Result<Vec<_>, _>>();
        if let Some(list) = &self.and {
            all.extend(inner(list)?);
        }
        if let Some(list) = &self.or {
            all.push(Condition::Or(inner(list)?));
        }
        if let Some(not) = &self.not {
            all.push(Condition::Not(Box::new(not.unchecked(depth + 1)?)));
        }
        let mut add = |field: Field, tests: Vec<Test>| {
            all.extend(tests.into_iter().map(|test| Condition::Field(field.clone(), test)));
        };
        for (field, filter) in [
            (Field::Key, &self.key),
            (Field::Name, &self.name),
            (Field::Class, &self.class),
            (Field::Source, &self.source),
        ] {
            if let Some(filter) = filter {
                add(field, filter.tests()?);
            }
        }
        if let Some(filter) = &self.lifecycle {
            add(Field::Lifecycle, filter.tests()?);
        }
        if let Some(filter) = &self.criticality {
            add(Field::Criticality, filter.tests()?);
        }
        if let Some(filter) = &self.standing {
            add(Field::Standing, filter.tests()?);
        }
        if let Some(filter) = &self.attribute {
            add(Field::Attribute(attribute_name(&filter.name)?), filter.tests()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Condition::And(all) })
    }
}

/// The name of an attribute that somebody has defined or used. Names are interned for the life of the
/// process, so only known ones are let in.
pub(crate) fn attribute_name(name: &str) -> Result<Symbol, Refusal> {
    let unknown = || Refusal::input(format!("nobody has an attribute '{}'", name.chars().take(80).collect::<String>()));
    Symbol::known(name).ok_or_else(unknown)
}

/// What configuration items are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ConfigurationItemOrderField {
    /// Their keys.
    Key,
    /// Their names.
    Name,
    /// Their classes.
    Class,
    /// Their stages of life.
    Lifecycle,
    /// How much depends on them.
    Criticality,
    /// What is known of their existence.
    Standing,
    /// The attribute named in `attribute`.
    Attribute,
}

/// One key that configuration items are sorted by.
#[derive(Clone, Debug, InputObject)]
pub struct ConfigurationItemOrder {
    /// The field.
    pub field: ConfigurationItemOrderField,
    /// The attribute, where the field is `ATTRIBUTE`.
    pub attribute: Option<String>,
    /// Which way.
    #[graphql(default)]
    pub direction: SortDirection,
}

/// The order of a list of configuration items.
///
/// # Errors
/// `BAD_USER_INPUT` for too many keys, and for an attribute without a name.
pub fn item_order(orders: &[ConfigurationItemOrder]) -> Result<Vec<OrderBy>, Refusal> {
    few_orders(orders.len())?;
    let order = |order: &ConfigurationItemOrder| {
        let field = match order.field {
            ConfigurationItemOrderField::Key => Field::Key,
            ConfigurationItemOrderField::Name => Field::Name,
            ConfigurationItemOrderField::Class => Field::Class,
            ConfigurationItemOrderField::Lifecycle => Field::Lifecycle,
            ConfigurationItemOrderField::Criticality => Field::Criticality,
            ConfigurationItemOrderField::Standing => Field::Standing,
            ConfigurationItemOrderField::Attribute => {
                let name = order.attribute.as_deref();
                Field::Attribute(attribute_name(name.ok_or_else(|| Refusal::input("name the attribute to sort by"))?)?)
            }
        };
        Ok(OrderBy { field, descending: order.direction == SortDirection::Descending })
    };
    orders.iter().map(order).collect()
}

pub(crate) fn few_orders(orders: usize) -> Result<(), Refusal> {
    if orders > MOST_ORDERS {
        return Err(Refusal::input(format!("a list is sorted by {MOST_ORDERS} keys at most; {orders} were given")));
    }
    Ok(())
}

/// Holds the limits on a filter, without recursion. `own` counts the predicates of one node; one that
/// says nothing is looked at all the same and counts as one.
pub(crate) fn check_nodes<'w, W>(
    top: &'w W,
    own: impl Fn(&W) -> Result<usize, Refusal>,
    inner: impl Fn(&'w W) -> Vec<&'w W>,
) -> Result<(), Refusal> {
    let mut open = vec![(top, 1)];
    let (mut deepest, mut predicates) = (0, 0);
    while let Some((one, depth)) = open.pop() {
        deepest = deepest.max(depth);
        predicates += own(one)?.max(1);
        open.extend(inner(one).into_iter().map(|inner| (inner, depth + 1)));
    }
    if deepest > MAX_CONDITION_DEPTH {
        return Err(Refusal::input(format!("a filter may be nested {MAX_CONDITION_DEPTH} deep; this one is deeper")));
    }
    if predicates > MAX_PREDICATES {
        let message = format!("a filter may have {MAX_PREDICATES} predicates; this one has {predicates}");
        return Err(Refusal::input(message));
    }
    Ok(())
}
