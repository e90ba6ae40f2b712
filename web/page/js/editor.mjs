// The editor of a cell: CodeMirror, with the page's colours, keys and completions. Loaded when the
// notebook can be read; `src/editor.rs` has the other end. Offsets are UTF-16 units.

import {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionStatus, selectedCompletion,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore, isolateHistory } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
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
        language.of(extensionOf(options, options.language)),
        numbers.of(options.lineNumbers ? lineNumbers() : []),
        wrapping.of(options.wrap ? EditorView.lineWrapping : []),
        reading.of(EditorState.readOnly.of(options.readOnly)),
        completions(options, spoken), tooltips,
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
    setDiagnostics: (list) => view.dispatch(setDiagnostics(view.state, list)),
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

/** What the editor is to know of languages that it has no parser of. */
const languageData = Object.fromEntries(Object.entries({
  kql: { commentTokens: { line: "//" }, closeBrackets: { brackets: ["(", "[", "{", "'", '"'] } },
  markdown: { commentTokens: { block: { open: "<!--", close: "-->" } } },
}).map(([name, data]) => [name, EditorState.languageData.of(() => [data])]));

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

async function inspect(view, options) {
  if (dedents(view.state)) return indentLess(view);
  const pos = view.state.selection.main.head;
  const dom = await options.inspect(view.state.doc.toString(), pos);
  if (!dom || view.state.selection.main.head !== pos) return false;
  view.dispatch({ effects: setTooltip.of({ pos, above: false, arrow: false, create: () => ({ dom }) }) });
  return true;
}
