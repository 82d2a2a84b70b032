// The manual page of a command (`liburna man COMMAND`), made from its table, in man(7) markup.

import ClusterModel

extension CommandDefinition {
  /// The title of the page, which is one word: LIBURNA-LAB-START.
  private var pageName: String { wordName.uppercased() }

  /// The name as one word, which is what lists of manual pages take.
  private var wordName: String { name.split(separator: " ").joined(separator: "-") }

  /// The page in troff source.
  public var manualPage: String {
    var page = ".TH \(pageName) 1 \"\" \"Liburna \(liburnaVersion)\" \"Liburna\"\n"
    page += ".SH NAME\n\(troff(wordName)) \\- \(troff(summary))\n.SH SYNOPSIS\n"
    for form in synopsis { page += ".B \(troff(name))\n\(troff(form))\n.br\n" }
    if !details.isEmpty {
      page += ".SH DESCRIPTION\n"
      for paragraph in details { page += ".PP\n\(troff(paragraph))\n" }
    }
    page += ".SH OPTIONS\n"
    for option in options {
      let definition = option.definition
      page += ".TP\n.B \(troff(definition.usage.trimmedFront))\n\(troff(definition.help))\n"
    }
    if !exitCodes.isEmpty {
      page += ".SH EXIT STATUS\n"
      for (code, meaning) in exitCodes { page += ".TP\n.B \(code)\n\(troff(meaning))\n" }
    }
    if !examples.isEmpty {
      page += ".SH EXAMPLES\n"
      for (call, meaning) in examples { page += ".TP\n.B \(troff(call))\n\(troff(meaning))\n" }
    }
    return page
  }
}

/// A text with what troff would take for markup escaped.
func troff(_ text: String) -> String {
  var result = ""
  for character in text {
    switch character {
    case "\\": result += "\\e"
    case "-": result += "\\-"
    case ".", "'": result += result.isEmpty ? "\\&\(character)" : String(character)
    default: result.append(character)
    }
  }
  return result
}

extension String {
  fileprivate var trimmedFront: String { String(drop { $0 == " " }) }
}
