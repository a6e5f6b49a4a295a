//! `AddTags`, `RemoveTags`, `DescribeTags`.

use std::collections::BTreeMap;

use crate::sandbox::control::{ApiError, Element, Reader, Request, Switches, World};

/// What the service says a tag may be made of.
const ALPHABET: &str = "Member must consist of letters, digits, spaces and _.:/=+-@";

pub(crate) fn add(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerNames", "Tags"])?;
    let name = only_name(&input)?;
    let tags = read(&input)?.ok_or_else(|| ApiError::missing("tags"))?;
    let switches = world.switches;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    balancer.tags.extend(tags);
    check_quota(&balancer.tags, &switches)?;
    Ok(Element::new())
}

pub(crate) fn remove(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerNames", "Tags"])?;
    let name = only_name(&input)?;
    let keys = input.required_list("Tags")?;
    if keys.is_empty() {
        return Err(ApiError::constraint(Some("[]"), "tags", "Member must have length greater than or equal to 1"));
    }
    let keys =
        keys.iter().map(|tag| tag.only(&["Key"]).and_then(|()| tag.required("Key"))).collect::<Result<Vec<_>, _>>()?;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    balancer.tags.retain(|key, _| !keys.contains(key));
    Ok(Element::new())
}

pub(crate) fn describe(world: &World, request: &Request) -> Result<Element, ApiError> {
    let names = request.params.members(&["LoadBalancerNames"])?.required_texts("LoadBalancerNames")?;
    if !(1..=20).contains(&names.len()) {
        let shown = format!("[{}]", names.join(", "));
        let constraint = "Member must have length between 1 and 20";
        return Err(ApiError::constraint(Some(&shown), "loadBalancerNames", constraint));
    }
    let mut described = Vec::new();
    for name in &names {
        let tags = &world.load_balancer(request, name)?.balancer.tags;
        let tags = tags.iter().map(|(key, value)| Element::new().with("Key", key).with("Value", value));
        described.push(Element::new().with("LoadBalancerName", name).with("Tags", Element::List(tags.collect())));
    }
    Ok(Element::new().with("TagDescriptions", Element::List(described)))
}

/// The tags of a request; `None` if it has no such list. Errors: `DuplicateTagKeys`, and whatever makes a tag invalid.
pub(super) fn read(input: &Reader<'_>) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    let Some(list) = input.list("Tags")? else { return Ok(None) };
    if list.is_empty() {
        return Err(ApiError::constraint(Some("[]"), "tags", "Member must have length greater than or equal to 1"));
    }
    let mut tags = BTreeMap::new();
    for tag in list {
        tag.only(&["Key", "Value"])?;
        let (key, value) = (tag.required("Key")?, tag.text("Value")?.unwrap_or_default());
        check(&tag, "Key", &key, 1, 128)?;
        check(&tag, "Value", &value, 0, 256)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::validation(format!("The tag key '{key}' is reserved: keys must not begin with aws:")));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(ApiError::new("DuplicateTagKeys", format!("The tag key '{key}' was specified more than once")));
        }
    }
    Ok(Some(tags))
}

/// Refuses more tags than a balancer may have.
pub(super) fn check_quota(tags: &BTreeMap<String, String>, switches: &Switches) -> Result<(), ApiError> {
    let quota = switches.tag_quota;
    if tags.len() > quota as usize {
        return Err(ApiError::new("TooManyTags", format!("The quota of {quota} tags per load balancer would be exceeded")));
    }
    Ok(())
}

fn check(tag: &Reader<'_>, member: &str, text: &str, least: usize, most: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        let constraint = format!("Member must have length between {least} and {most}");
        return Err(ApiError::constraint(Some(text), &tag.at(member), &constraint));
    }
    let legal = |c: char| c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c);
    match text.chars().all(legal) {
        true => Ok(()),
        false => Err(ApiError::constraint(Some(text), &tag.at(member), ALPHABET)),
    }
}

/// The one balancer a tag call is about: the parameter is a list, and the list must have one entry.
fn only_name(input: &Reader<'_>) -> Result<String, ApiError> {
    match input.required_texts("LoadBalancerNames")?.as_slice() {
        [name] => Ok(name.clone()),
        names => Err(ApiError::validation(format!("Exactly one load balancer must be specified, not {}", names.len()))),
    }
}
