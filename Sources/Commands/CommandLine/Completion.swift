// Shell completion of commands and options, made from the commands' tables.

/// A shell that completion can be written for.
public enum CompletionShell: String, CaseIterable, Sendable {
  case bash
  case zsh
  case fish

  /// The script that teaches the shell the commands and their options.
  ///
  /// - Parameter others: first words of the program that have no table.
  func script(
    program: String, commands: [(name: String, definition: CommandDefinition)], others: [String]
  ) -> String {
    switch self {
    case .bash: bash(program: program, commands: commands, others: others)
    case .zsh:
      "autoload -U +X bashcompinit && bashcompinit\n"
        + bash(program: program, commands: commands, others: others)
    case .fish: fish(program: program, commands: commands, others: others)
    }
  }

  private func bash(
    program: String, commands: [(name: String, definition: CommandDefinition)], others: [String]
  ) -> String {
    var text = "# Completion of \(program)'s commands and options.\n"
    text += "_\(program)_words() {\n  case \"$1\" in\n"
    for (name, definition) in commands {
      text += "    \(name)) echo \"\(words(definition))\" ;;\n"
      for (inner, definition) in definition.commands {
        text += "    \"\(name) \(inner)\") echo \"\(words(definition))\" ;;\n"
      }
    }
    text += "  esac\n}\n"
    let names = (commands.map(\.name) + others).joined(separator: " ")
    let ownNames = commands.map(\.name).filter(isCalledByName).joined(separator: " ")
    text += """
      _\(program)_complete() {
        local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[0]##*/} inner="" i
        COMPREPLY=()
        if [ "$command" = \(program) ]; then
          if [ "$COMP_CWORD" -eq 1 ]; then
            COMPREPLY=($(compgen -W "\(names)" -- "$word"))
            return
          fi
          command=${COMP_WORDS[1]}
        fi
      \(innerCommands(commands))  case "$word" in
          -*) COMPREPLY=($(compgen -W "$(_\(program)_words "$command")" -- "$word")) ;;
          *) COMPREPLY=($(compgen -W "$inner" -- "$word")) ;;
        esac
      }
      complete -o default -F _\(program)_complete \(program) \(ownNames)

      """
    return text
  }

  /// All names of a command's options.
  private func words(_ definition: CommandDefinition) -> String {
    definition.options.flatMap(\.definition.dashed).joined(separator: " ")
  }

  /// What finds out, for a command that consists of commands, which of them was typed last.
  private func innerCommands(
    _ commands: [(name: String, definition: CommandDefinition)]
  ) -> String {
    var text = ""
    for (name, definition) in commands where !definition.commands.isEmpty {
      let names = definition.commands.map(\.name).joined(separator: " ")
      text += """
          if [ "$command" = \(name) ]; then
            inner="\(names)"
            for ((i = 2; i < COMP_CWORD; i++)); do
              case " $inner " in *" ${COMP_WORDS[i]} "*) command="\(name) ${COMP_WORDS[i]}" ;; esac
            done
          fi

        """
    }
    return text
  }

  private func fish(
    program: String, commands: [(name: String, definition: CommandDefinition)], others: [String]
  ) -> String {
    var text = "# Completion of \(program)'s commands and options.\n"
    for name in others { text += "complete -c \(program) -n __fish_use_subcommand -a \(name)\n" }
    for (name, definition) in commands {
      text += "complete -c \(program) -n __fish_use_subcommand -a \(name)"
      text += " -d \(quoted(definition.summary))\n"
      for option in definition.options where isCalledByName(name) {
        text += "complete -c \(name)\(fishOption(option))\n"
      }
      for (inner, definition) in definition.commands {
        text += "complete -c \(program) -n '__fish_seen_subcommand_from \(name)' -a \(inner)"
        text += " -d \(quoted(definition.summary))\n"
        for option in definition.options {
          text += "complete -c \(program) -n '__fish_seen_subcommand_from \(inner)'"
          text += fishOption(option) + "\n"
        }
      }
    }
    return text
  }

  /// Whether a command is also a program's name: only OAR's are; `status` is nobody's.
  private func isCalledByName(_ name: String) -> Bool { name.hasPrefix("oar") }

  private func fishOption(_ option: any OptionKey) -> String {
    let definition = option.definition
    var text = definition.short.map { " -s \($0)" } ?? ""
    for long in definition.longs { text += " -l \(long)" }
    if case .required = definition.argument { text += " -r" }
    return text + " -d \(quoted(definition.help))"
  }

  private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\\'")
      + "'"
  }
}

extension OptionDefinition {
  /// All its names with their dashes.
  var dashed: [String] { (short.map { ["-\($0)"] } ?? []) + longs.map { "--" + $0 } }
}
