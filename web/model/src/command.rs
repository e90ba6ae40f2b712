//! Everything that a user can do, by name: what the palette, the menus and the help list show.

use crate::keys::{self, Shortcut};

/// The part of the help list that a command stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Running code.
    Run,
    /// Changing cells.
    Cells,
    /// Choosing cells.
    Select,
    /// Editing text.
    Edit,
    /// What is shown.
    View,
    /// The kernel.
    Kernel,
    /// Notebooks and files.
    File,
    /// Finding one's way.
    Help,
}

impl Category {
    /// All of them, in the order of the help list.
    pub const ALL: &'static [Self] = &[
        Self::Run,
        Self::Cells,
        Self::Select,
        Self::Edit,
        Self::View,
        Self::Kernel,
        Self::File,
        Self::Help,
    ];

    /// The heading to show.
    pub fn title(self) -> &'static str {
        match self {
            Self::Run => "Run",
            Self::Cells => "Cells",
            Self::Select => "Select",
            Self::Edit => "Edit",
            Self::View => "View",
            Self::Kernel => "Kernel",
            Self::File => "File",
            Self::Help => "Help",
        }
    }
}

macro_rules! commands {
    ($($category:ident { $($variant:ident $name:literal $title:literal)* })*) => {
        /// Something that a user can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command {
            $($(#[doc = $title] $variant,)*)*
        }

        impl Command {
            /// All of them, category by category.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// A name for attributes and settings, such as `run-all`; it does not change.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// What people read.
            pub fn title(self) -> &'static str {
                match self { $($(Self::$variant => $title,)*)* }
            }

            /// Where it stands in the help list.
            pub fn category(self) -> Category {
                match self { $($(Self::$variant)|* => Category::$category,)* }
            }
        }
    };
}

commands! {
    Run {
        RunSelectBelow "run-select-below" "Run and select below"
        RunStay "run-stay" "Run and stay"
        RunInsertBelow "run-insert-below" "Run and insert below"
        RunAll "run-all" "Run all cells"
        RunAbove "run-above" "Run all above"
        RunBelow "run-below" "Run this cell and all below"
        RunStale "run-stale" "Run cells whose inputs changed"
    }
    Cells {
        InsertAbove "insert-above" "Insert cell above"
        InsertBelow "insert-below" "Insert cell below"
        Delete "delete" "Delete cells"
        Cut "cut" "Cut cells"
        Copy "copy" "Copy cells"
        PasteBelow "paste-below" "Paste cells below"
        PasteAbove "paste-above" "Paste cells above"
        Duplicate "duplicate" "Duplicate cells"
        Undo "undo" "Undo cell operation"
        Redo "redo" "Redo cell operation"
        Merge "merge" "Merge selected cells, or with the cell below"
        MergeAbove "merge-above" "Merge with the cell above"
        MergeBelow "merge-below" "Merge with the cell below"
        MoveUp "move-up" "Move cells up"
        MoveDown "move-down" "Move cells down"
        ToCode "to-code" "Change to Python"
        ToKql "to-kql" "Change to KQL"
        ToMarkdown "to-markdown" "Change to Markdown"
        ToRaw "to-raw" "Change to raw text"
        Heading1 "heading-1" "Change to heading 1"
        Heading2 "heading-2" "Change to heading 2"
        Heading3 "heading-3" "Change to heading 3"
        Heading4 "heading-4" "Change to heading 4"
        Heading5 "heading-5" "Change to heading 5"
        Heading6 "heading-6" "Change to heading 6"
        ClearOutputs "clear-outputs" "Clear outputs of the selected cells"
        ClearAllOutputs "clear-all-outputs" "Clear all outputs"
    }
    Select {
        EnterEdit "enter-edit" "Edit the cell"
        LeaveEdit "leave-edit" "Leave the editor"
        SelectAbove "select-above" "Select cell above"
        SelectBelow "select-below" "Select cell below"
        SelectFirst "select-first" "Select first cell"
        SelectLast "select-last" "Select last cell"
        ExtendAbove "extend-above" "Extend selection above"
        ExtendBelow "extend-below" "Extend selection below"
        ExtendFirst "extend-first" "Extend selection to the top"
        ExtendLast "extend-last" "Extend selection to the bottom"
        SelectAll "select-all" "Select all cells"
    }
    Edit {
        Complete "complete" "Complete"
        Tooltip "tooltip" "Show what is under the cursor"
        Split "split" "Split cell at the cursor"
        Find "find" "Find"
        FindReplace "find-replace" "Find and replace"
        FormatKql "format-kql" "Lay out the query"
    }
    View {
        CollapseHeading "collapse-heading" "Collapse heading, or go to the one above"
        ExpandHeading "expand-heading" "Expand heading, or go to the one below"
        CollapseAllHeadings "collapse-all-headings" "Collapse all headings"
        ExpandAllHeadings "expand-all-headings" "Expand all headings"
        ToggleInput "toggle-input" "Hide or show the cells' text"
        ToggleOutputs "toggle-outputs" "Hide or show the cells' outputs"
        HideAllInputs "hide-all-inputs" "Hide all code"
        ShowAllInputs "show-all-inputs" "Show all code"
        HideAllOutputs "hide-all-outputs" "Hide all outputs"
        ShowAllOutputs "show-all-outputs" "Show all outputs"
        RenderAllMarkdown "render-all-markdown" "Show all Markdown as text to read"
        ToggleLineNumbers "toggle-line-numbers" "Show or hide the cell's line numbers"
        ToggleAllLineNumbers "toggle-all-line-numbers" "Show or hide all line numbers"
        ToggleOutline "toggle-outline" "Show or hide the outline"
        ToggleFiles "toggle-files" "Show or hide the files"
        ToggleTheme "toggle-theme" "Switch between light and dark"
    }
    Kernel {
        Interrupt "interrupt" "Interrupt"
        Restart "restart" "Restart the kernel"
        RestartRunAll "restart-run-all" "Restart and run all"
        RestartClear "restart-clear" "Restart and clear all outputs"
    }
    File {
        Save "save" "Save"
        SaveCopy "save-copy" "Save a copy"
        New "new" "New notebook"
        Open "open" "Open a notebook"
        Rename "rename" "Rename the notebook"
        Versions "versions" "Versions of the notebook"
        Import "import" "Import files"
        ImportFolder "import-folder" "Import a folder"
        ImportLink "import-link" "Import from a link"
        ExportNotebook "export-notebook" "Export as .ipynb"
        ExportHtml "export-html" "Export as .html"
        ExportPython "export-python" "Export as .py"
        ExportAll "export-all" "Export everything as .zip"
        CopyLink "copy-link" "Copy a link that holds the notebook"
        Gallery "gallery" "Open the gallery"
        Trust "trust" "Trust this notebook"
    }
    Help {
        Palette "palette" "Show all commands"
        Help "help" "Show the keys"
        Settings "settings" "Settings"
        Workspaces "workspaces" "Workspaces and sign-in"
    }
}

impl Command {
    /// The command of a [`Command::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// The keys that ask for it, the first being the one to show.
    pub fn shortcuts(self) -> impl Iterator<Item = &'static Shortcut> {
        keys::shortcuts(self)
    }

    /// The level of a command that makes a heading.
    pub fn heading_level(self) -> Option<u8> {
        Some(match self {
            Self::Heading1 => 1,
            Self::Heading2 => 2,
            Self::Heading3 => 3,
            Self::Heading4 => 4,
            Self::Heading5 => 5,
            Self::Heading6 => 6,
            _ => return None,
        })
    }

    /// The commands of a category.
    pub fn of(category: Category) -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(move |command| command.category() == category)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_titles_tell_commands_apart() {
        let names: HashSet<_> = Command::ALL.iter().map(|one| one.name()).collect();
        let titles: HashSet<_> = Command::ALL.iter().map(|one| one.title()).collect();
        assert_eq!(names.len(), Command::ALL.len());
        assert_eq!(titles.len(), Command::ALL.len());
        for command in Command::ALL {
            assert_eq!(Command::from_name(command.name()), Some(*command));
        }
    }

    #[test]
    fn every_command_stands_in_one_category() {
        let listed = Category::ALL.iter().flat_map(|one| Command::of(*one));
        assert_eq!(listed.collect::<Vec<_>>(), Command::ALL);
    }

    #[test]
    fn shortcuts_are_shown_as_people_press_them() {
        let shown = |command: Command| -> Vec<String> {
            command.shortcuts().map(|one| one.label(false)).collect()
        };
        assert_eq!(shown(Command::Delete), ["D D"]);
        assert_eq!(shown(Command::Split), ["Ctrl+Shift+-"]);
        assert_eq!(shown(Command::SelectBelow), ["J", "Down"]);
        let save = Command::Save.shortcuts().next().unwrap();
        assert_eq!(save.label(true), "⌘S");
        let split = Command::Split.shortcuts().next().unwrap();
        assert_eq!(split.label(true), "⌃⇧-");
    }
}
