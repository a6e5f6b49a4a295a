
'use strict';
// Without this script every balancer is open and unfiltered; with it, they open, filter and sort.
document.documentElement.classList.add('js');
document.addEventListener('DOMContentLoaded', () => {
  const table = document.querySelector('.balancers');
  const form = document.querySelector('.filters');
  const bodies = [...table.tBodies];
  const toggles = [...form.querySelectorAll('.toggle')];
  const collator = new Intl.Collator('en', { numeric: true });

  const open = (body, opened) => {
    body.classList.toggle('opened', opened);
    body.querySelector('.open').setAttribute('aria-expanded', opened);
  };

  const filter = () => {
    const fields = form.elements;
    const text = fields.text.value.trim().toLowerCase();
    const classes = new Set(toggles.filter((t) => t.getAttribute('aria-pressed') === 'true').map((t) => t.dataset.class));
    const rule = fields.rule.value;
    const scope = fields.scope ? fields.scope.value : '';
    let shown = 0;
    for (const body of bodies) {
      const data = body.dataset;
      const matches = classes.has(data.class)
        && data.name.toLowerCase().includes(text)
        && (rule === '' || data.rules.includes(` ${rule} `))
        && (scope === '' || data.scope === scope)
        && (!fields.fixable.checked || 'fixable' in data);
      body.hidden = !matches;
      shown += matches;
    }
    form.querySelector('output').textContent = `${shown.toLocaleString('en')} of ${bodies.length.toLocaleString('en')} shown`;
    document.querySelector('.none').hidden = shown > 0 || bodies.length === 0;
  };

  const sort = (heading) => {
    const key = heading.dataset.sort;
    const before = heading.getAttribute('aria-sort');
    const ascending = before ? before === 'descending' : key === 'name';
    for (const other of table.tHead.querySelectorAll('[aria-sort]')) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const compare = key === 'name'
      ? (a, b) => collator.compare(a.dataset.name, b.dataset.name)
      : (a, b) => a.dataset[key] - b.dataset[key];
    bodies.sort((a, b) => (ascending ? compare(a, b) : compare(b, a)) || collator.compare(a.dataset.name, b.dataset.name));
    table.append(...bodies);
  };

  // A link to a rule or a balancer opens it, whatever the filters say.
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.tagName === 'DETAILS') target.open = true;
    if (target.tagName === 'TBODY') {
      target.hidden = false;
      open(target, true);
    }
    target.scrollIntoView();
  };

  table.addEventListener('click', (event) => {
    const heading = event.target.closest('[data-sort]');
    if (heading && event.target.closest('button')) return sort(heading);
    const row = event.target.closest('.row');
    if (row && !String(getSelection())) open(row.parentElement, !row.parentElement.classList.contains('opened'));
  });
  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => {
    for (const toggle of toggles) toggle.setAttribute('aria-pressed', 'true');
    setTimeout(filter);
  });
  form.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.all) for (const body of bodies) if (!body.hidden) open(body, button.dataset.all === 'open');
    if (button.dataset.class) {
      button.setAttribute('aria-pressed', button.getAttribute('aria-pressed') !== 'true');
      filter();
    }
  });
  addEventListener('hashchange', follow);
  // Where there is one balancer, there is nothing to choose.
  if (bodies.length === 1) open(bodies[0], true);
  filter();
  follow();
});
