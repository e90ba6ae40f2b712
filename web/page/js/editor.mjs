// The editor of a cell: CodeMirror, with the page's colours, keys and completions. Loaded when the
// notebook can be read; `src/editor.rs` has the other end. Offsets are UTF-16 units.

import {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionStatus, selectedCompletion,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, isolateHistory, redo } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { diagnosticCount, forEachDiagnostic, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches } from "@codemirror/search";
import { Annotation, Compartment, EditorState, Prec, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration, drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers, showTooltip,
} from "@codemirror/view";

/** Marks what the page itself wrote, which is not to be told back to it. */
const own = Annotation.define();

/**
 * An editor in `parent`. `options`:
 * - `doc`, `language` (`python`, `kql`, `markdown`, `text`), `label`; `readOnly`, `lineNumbers`, `wrap`;
 * - `onChange(text)`: the user has changed the text;
 * - `onKey(event)`: whether the page takes a key; `onEdge(up)`: whether it takes an arrow that leads out;
 * - `tokens(text, language)`: an array `from, to, class, ...` in order;
 * - `complete(text, at)`: a promise of `{from, to, options}` or null;
 * - `inspect(text, at)`: a promise of an element or null.
 */
export function create(parent, options) {
  const language = new Compartment();
  const numbers = new Compartment();
  const wrapping = new Compartment();
  const reading = new Compartment();
  const spoken = { current: options.language };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: options.doc,
      extensions: [
        keys(options),
        highlightSpecialChars(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        highlightSelectionMatches({ minSelectionLength: 3 }),
        EditorState.allowMultipleSelections.of(true),
        EditorState.tabSize.of(4), indentUnit.of("    "),
        // Enter leads into an editor and Tab past it: inside, Tab completes and would lead nowhere.
        EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "-1" }),
        EditorView.contentAttributes.of((view) => (diagnosticCount(view.state) > 0 ? { "aria-invalid": "true" } : null)),
        language.of(extensionOf(options, options.language)),
        numbers.of(options.lineNumbers ? lineNumbers() : []),
        wrapping.of(options.wrap ? EditorView.lineWrapping : []),
        reading.of(EditorState.readOnly.of(options.readOnly)),
        completions(options, spoken), tooltips, found,
        keymap.of([...mistakeKeys, { key: "Mod-Shift-z", run: redo, preventDefault: true }]),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap]),
        EditorView.updateListener.of((update) => {
          const written = update.transactions.some((transaction) => transaction.annotation(own));
          if (update.docChanged && !written) options.onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return handle(view, options, { language, numbers, wrapping, reading, spoken });
}

function handle(view, options, { language, numbers, wrapping, reading, spoken }) {
  const set = (compartment, extension) => view.dispatch({ effects: compartment.reconfigure(extension) });
  return {
    text: () => view.state.doc.toString(),
    setDoc(text) {
      const { doc } = view.state;
      if (doc.toString() === text) return;
      // A step of its own to undo: what was typed just before stays.
      view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, annotations: [own.of(true), isolateHistory.of("full")] });
    },
    setLanguage(name) {
      if (spoken.current === name) return;
      spoken.current = name;
      set(language, extensionOf(options, name));
    },
    setLineNumbers: (shown) => set(numbers, shown ? lineNumbers() : []),
    setWrap: (wraps) => set(wrapping, wraps ? EditorView.lineWrapping : []),
    setReadOnly: (readOnly) => set(reading, EditorState.readOnly.of(readOnly)),
    setDiagnostics(list) {
      const { doc } = view.state;
      // A fix knows places of this text: once another is typed, it would write elsewhere.
      const timely = ({ name, apply }) => ({ name, apply: () => view.state.doc === doc && apply() });
      const guarded = list.map((mistake) => ({ ...mistake, actions: mistake.actions?.map(timely) }));
      view.dispatch(setDiagnostics(view.state, guarded));
    },
    /** Marks what a search found: `from, to, ...` in order, the one that begins at `now` apart. */
    setFound(flat, now) {
      if (flat.length === 0 && view.state.field(found).size === 0) return;
      view.dispatch({ effects: setFound.of(foundAt(flat, now, view.state.doc.length)) });
    },
    focus: () => view.focus(),
    hasFocus: () => view.hasFocus,
    /** Puts the cursor where a click at these coordinates of the window would. */
    placeCursor(x, y) {
      const at = view.posAtCoords({ x, y }, false);
      view.dispatch({ selection: { anchor: at } });
    },
    cursor: () => view.state.selection.main.head,
    setCursor: (at) => view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } }),
    /** Where to split the cell: each cursor, or both ends of each selection. */
    cuts: () => view.state.selection.ranges.flatMap(({ from, to }) => (from === to ? [from] : [from, to])),
    select(from, to) {
      const end = view.state.doc.length;
      const selection = { anchor: Math.min(from, end), head: Math.min(to, end) };
      view.dispatch({ selection, effects: EditorView.scrollIntoView(selection.head, { y: "nearest" }) });
    },
    replaceRange: (from, to, insert) => view.dispatch({ changes: { from, to, insert } }),
    complete: () => tab(view),
    inspect: () => inspect(view, options),
    destroy: () => view.destroy(),
  };
}

// Keys

function keys({ onKey, onEdge }) {
  const keydown = (event, view) => {
    if (event.isComposing) return false;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (completionStatus(view.state) && plain && !event.shiftKey) {
      if (event.key === "Tab" && acceptCompletion(view)) return true;
      if (event.key === "Escape" && closeCompletion(view)) return true;
      // The word is there already: Enter is for a new line.
      if (event.key === "Enter" && isTyped(view.state)) closeCompletion(view);
      if (/^(Enter|Arrow|Page)/.test(event.key)) return false;
    }
    if (event.key === "Escape" && view.state.field(tooltip)) return close(view);
    if (plain && !event.shiftKey && leaves(view, event.key)) return onEdge(event.key === "ArrowUp");
    return onKey(event);
  };
  return Prec.highest(EditorView.domEventHandlers({ keydown }));
}

/** Whether the completion that is selected is what stands before the cursor. */
function isTyped(state) {
  const label = selectedCompletion(state)?.label;
  const { head } = state.selection.main;
  return Boolean(label) && state.sliceDoc(Math.max(0, head - label.length), head) === label;
}

/** Whether an arrow leads out of the text: from its very start or end, where in the first or last row the arrows lead first. */
function leaves(view, key) {
  const { main, ranges } = view.state.selection;
  if (ranges.length > 1 || !main.empty) return false;
  return (key === "ArrowUp" && main.head === 0) || (key === "ArrowDown" && main.head === view.state.doc.length);
}

/** Whether Shift+Tab takes indentation away: with lines selected, and at the indentation of a line. */
function dedents({ doc, selection: { main } }) {
  const line = doc.lineAt(main.head);
  return !main.empty || (/^\s/.test(line.text) && !line.text.slice(0, main.head - line.from).trim());
}

/** What Tab does: completes behind a word, else indents. */
function tab(view) {
  const { main } = view.state.selection;
  const before = view.state.sliceDoc(Math.max(0, main.head - 1), main.head);
  if (main.empty && /\S/.test(before)) return startCompletion(view);
  if (main.empty) {
    view.dispatch(view.state.replaceSelection("    "));
    return true;
  }
  return indentMore(view);
}

// Languages and colours

function extensionOf(options, name) {
  const colours = painted((text) => options.tokens(text, name));
  if (name !== "python") return [colours, languageData[name] ?? []];
  // For indentation and comments; the colours are the page's own, as in cells that are only read.
  return [colours, python()];
}

const dataOf = (data) => EditorState.languageData.of(() => [data]);

/** What the editor is to know of languages that it has no parser of. */
const languageData = {
  kql: dataOf({ commentTokens: { line: "//" }, closeBrackets: { brackets: ["(", "[", "{", "'", '"'] } }),
  markdown: dataOf({ commentTokens: { block: { open: "<!--", close: "-->" } } }),
};

const marks = new Map();

function mark(name) {
  if (!marks.has(name)) marks.set(name, Decoration.mark({ class: name }));
  return marks.get(name);
}

function painted(tokens) {
  const paint = (state) => {
    const builder = new RangeSetBuilder();
    const flat = tokens(state.doc.toString());
    for (let at = 0; at < flat.length; at += 3) builder.add(flat[at], flat[at + 1], mark(flat[at + 2]));
    return builder.finish();
  };
  return StateField.define({
    create: paint,
    update: (value, transaction) => (transaction.docChanged ? paint(transaction.state) : value),
    provide: (field) => EditorView.decorations.from(field),
  });
}

const setFound = StateEffect.define();

/** What a search found, until it is told anew. */
const found = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setFound)) return effect.value;
    return transaction.docChanged ? value.map(transaction.changes) : value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function foundAt(flat, now, end) {
  const builder = new RangeSetBuilder();
  for (let at = 0; at < flat.length && flat[at + 1] <= end; at += 2) {
    builder.add(flat[at], flat[at + 1], mark(flat[at] === now ? "cm-found cm-found-now" : "cm-found"));
  }
  return builder.finish();
}

// Completion and tooltips

function completions({ complete }, spoken) {
  const source = async (context) => {
    // Python is asked only on demand: it may not be loaded, and it has one thread.
    const wanted = context.explicit || (spoken.current === "kql" && context.matchBefore(/[\w-]{2,}/));
    if (!wanted) return null;
    const answer = await complete(context.state.doc.toString(), context.pos);
    return answer && { ...answer, validFor: /^\w*$/ };
  };
  return autocompletion({ override: [source], icons: false, defaultKeymap: true, activateOnTypingDelay: 150 });
}

const setTooltip = StateEffect.define();

const tooltip = StateField.define({
  create: () => null,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setTooltip)) return effect.value;
    return transaction.docChanged || transaction.selection ? null : value;
  },
  provide: (field) => showTooltip.from(field),
});

const tooltips = [tooltip];

function close(view) {
  view.dispatch({ effects: setTooltip.of(null) });
  return true;
}

/** Shows an element below the cursor, or above it. */
function show(view, dom, above = false) {
  view.dispatch({ effects: setTooltip.of({ pos: view.state.selection.main.head, above, arrow: false, create: () => ({ dom }) }) });
}

async function inspect(view, options) {
  if (dedents(view.state)) return indentLess(view);
  const { doc, selection: { main: { head } } } = view.state;
  const dom = element("div");
  const mistakes = mistakesAt(view.state);
  if (mistakes.length > 0) {
    dom.append(explained(view, mistakes));
    show(view, dom);
  }
  const about = await options.inspect(doc.toString(), head);
  if (!about || view.state.selection.main.head !== head) return mistakes.length > 0;
  dom.append(about);
  if (mistakes.length > 0) view.requestMeasure();
  else show(view, dom);
  return true;
}

// Mistakes: what a mouse is told over an underlined word, and its fixes, by keys

const mistakeKeys = [
  { key: "F8", run: (view) => goToMistake(view, true), shift: (view) => goToMistake(view, false) },
  { key: "Mod-.", run: fix },
];

const FIX_KEY = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘." : "Ctrl+.";

/** The mistakes at the cursor or in the selection, where they are now; all of them with a range. */
function mistakesAt(state, { from, to } = state.selection.main) {
  const found = [];
  forEachDiagnostic(state, (mistake, start, end) => {
    if (start <= to && end >= from) found.push({ ...mistake, from: start, to: end });
  });
  return found;
}

const fixesOf = (mistakes) => mistakes.flatMap(({ actions = [] }) => actions);

/** Goes to the next mistake, or the one before, around the text's ends; says and shows what is wrong. */
function goToMistake(view, forwards) {
  const all = mistakesAt(view.state, { from: 0, to: view.state.doc.length });
  if (all.length === 0) return false;
  const { head } = view.state.selection.main;
  const mistake = forwards
    ? all.find(({ from }) => from > head) ?? all[0]
    : all.findLast(({ from }) => from < head) ?? all.at(-1);
  view.dispatch({ selection: { anchor: mistake.from }, scrollIntoView: true });
  show(view, explained(view, mistakesAt(view.state)), true);
  return true;
}

/** Applies the fix of what is wrong at the cursor; where there are several, leads to them. */
function fix(view) {
  const mistakes = mistakesAt(view.state);
  const fixes = fixesOf(mistakes);
  if (fixes.length === 0 || view.state.readOnly) return false;
  if (fixes.length === 1) return apply(view, fixes[0]);
  const dom = explained(view, mistakes);
  show(view, dom, true);
  dom.querySelector("button").focus();
  return true;
}

function apply(view, { name, apply }) {
  const { doc } = view.state;
  close(view);
  apply(view);
  view.focus();
  if (view.state.doc !== doc) say(view, name);
  return true;
}

/** What is wrong and how to mend it, as it is shown over an underlined word. It is said as well. */
function explained(view, mistakes) {
  const list = element("ul", "cm-tooltip-lint");
  const fixes = fixesOf(mistakes);
  for (const { severity, message, actions = [] } of mistakes) {
    const item = element("li", `cm-diagnostic cm-diagnostic-${severity}`);
    item.append(message, ...actions.map((action) => button(view, action, fixes.length === 1)));
    list.append(item);
  }
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close(view);
    view.focus();
  });
  const ways = fixes.length > 0 ? [`${FIX_KEY}: ${fixes.map(({ name }) => name).join(", ")}`] : [];
  say(view, [...mistakes.map(({ message }) => message), ...ways].join(" "));
  return list;
}

function button(view, action, only) {
  const button = element("button", "cm-diagnosticAction");
  button.type = "button";
  button.append(action.name);
  if (only) button.append(" ", Object.assign(element("kbd"), { textContent: FIX_KEY }));
  button.addEventListener("click", () => apply(view, action));
  return button;
}

const say = (view, text) => view.dispatch({ effects: EditorView.announce.of(text) });

const element = (name, className = "") => Object.assign(document.createElement(name), { className });
