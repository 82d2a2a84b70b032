// `oarsub -S`: more options from the `#OAR` lines of the script.

import CommandLine
import RequestLanguage

/// The options that a script asks for.
struct ScriptOptions {
  /// The options as one line, for the job's record.
  let text: String
  private let options: ParsedArguments

  /// Reads the script that a command begins with.
  ///
  /// - Throws: ``CommandFailure``
  init(command: String?, in context: CommandContext) throws(CommandFailure) {
    guard let command, let file = command.split(separator: " ").first.map(String.init) else {
      throw CommandFailure(5, showsUsage: true)
    }
    let script: String
    do { script = try fileText(file) } catch {
      throw CommandFailure(
        12, "[ERROR] Cannot open the file \(shortened(file)).", "\(error.reason).")
    }
    var words: [String] = []
    do {
      for directive in try ScriptDirectives.parse(script) {
        words.append("--" + directive.option)
        if let value = directive.value { words.append(value) }
      }
    } catch {
      throw CommandFailure(12, "[ERROR] \(shortened(file)): \(error)")
    }
    let definition = CommandDefinition(
      "#OAR", "options of a script", synopsis: [], options: OarsubOption.ofScripts)
    do {
      options = try definition.parse(words)
    } catch {
      var failure = CommandFailure(12, "[ERROR] The #OAR lines of \(file) can't be read.")
      failure.lines += error.messages
      throw failure
    }
    text = words.joined(separator: " ")
  }

  /// The options of a call with those of the script under them.
  func arguments(under call: ParsedArguments, notes: inout [String]) -> ParsedArguments {
    let (arguments, overruled) = Oarsub.definition.adding(options, to: call)
    for name in overruled {
      notes.append("The script's --\(name) is overruled by the command line's.")
    }
    return arguments
  }
}
