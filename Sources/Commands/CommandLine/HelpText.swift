// The text of `--help`, made from a command's table.

extension CommandDefinition {
  /// Usage, summary and one entry an option, at most 80 columns wide where words allow.
  public var helpText: String {
    var text = ""
    for (index, form) in synopsis.enumerated() {
      text += (index == 0 ? "Usage: " : "       ") + "\(name) \(form)\n"
    }
    text += "\(summary).\n\n"
    if !commands.isEmpty { text += commandList + "\n" }
    text += "Options:\n"
    for option in options { text += option.definition.helpEntry }
    if !exitCodes.isEmpty {
      text += "\nExit codes:\n"
      for (code, meaning) in exitCodes {
        text += filled(meaning, firstIndent: "  \(code)".padded(to: 7), indent: 7)
      }
    }
    return text
  }

  /// The commands that are words of this one, with their summaries.
  private var commandList: String {
    commands.reduce("Commands:\n") { text, command in
      text
        + filled(
          command.definition.summary, firstIndent: "  \(command.name)".padded(to: 13), indent: 13)
    }
  }
}

extension OptionDefinition {
  /// The column where help texts begin.
  private static var helpColumn: Int { 31 }

  /// How the option is written, such as `-q, --queue=NAME`.
  var usage: String {
    let valueName: String
    switch argument {
    case .none: valueName = ""
    case .required(let name): valueName = longs.isEmpty ? " \(name)" : "=\(name)"
    case .optional(let name): valueName = longs.isEmpty ? " [\(name)]" : "[=\(name)]"
    }
    let letter = short.map { "-\($0)" } ?? "  "
    guard let long = longs.first else { return letter + valueName }
    return letter + (short == nil ? "  " : ", ") + "--" + long + valueName
  }

  fileprivate var helpEntry: String {
    let head = " " + usage
    if head.count >= Self.helpColumn {
      return head + "\n"
        + filled(help, firstIndent: "".padded(to: Self.helpColumn), indent: Self.helpColumn)
    }
    return filled(help, firstIndent: head.padded(to: Self.helpColumn), indent: Self.helpColumn)
  }
}

/// Breaks a text into lines of at most 80 columns, all but the first indented.
func filled(_ text: String, firstIndent: String, indent: Int) -> String {
  var result = ""
  var line = firstIndent
  var isEmpty = true
  for word in text.split(separator: " ") {
    if !isEmpty, line.count + 1 + word.count > 80 {
      result += line + "\n"
      line = "".padded(to: indent)
      isEmpty = true
    }
    line += (isEmpty ? "" : " ") + word
    isEmpty = false
  }
  return result + line + "\n"
}

extension String {
  /// The text with blanks after it, up to a width in characters.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
