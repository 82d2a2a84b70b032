// `liburna lab doctor`: what this machine can and can't do for labs, and what to change.

import CommandLine
import Lab

/// The command `lab doctor`.
enum LabDoctor: LabVerb {
  static let definition = CommandDefinition(
    "liburna lab doctor", "Say what this machine can and can't do for labs, and what to change",
    synopsis: ["[OPTIONS]"], options: [LabOption.json],
    details: ["Nothing is changed. Limits are those of the caller: ask as who will make the lab."],
    exitCodes: [(0, "labs can be made by the default backend, namespaces"), (1, "they can't")])

  static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let diagnosis = Doctor.examine()
    if arguments[LabOption.json] {
      var bytes: [UInt8] = []
      JSONWriter.own.write(document(diagnosis), to: &bytes)
      context.output.pass(bytes + [UInt8(ascii: "\n")])
    } else {
      let isColoured = LabColour.isShown(on: context.output, in: context)
      context.output.write(text(diagnosis, isColoured: isColoured))
    }
    return diagnosis.defaultWorks ? 0 : 1
  }

  // MARK: - Forms

  static func text(_ diagnosis: Diagnosis, isColoured: Bool) -> String {
    let width = (diagnosis.machine + diagnosis.backends).map(\.subject.count).max() ?? 0
    func lines(_ findings: [Finding]) -> String {
      findings.map { finding in
        let state = LabOption.column(finding.state.rawValue, 7)
        var text = "  \(paint(state, finding.state, isColoured))  "
        text += LabOption.column(finding.subject, width) + "  \(finding.fact)\n"
        if let remedy = finding.remedy, finding.state != .fine {
          text += "  " + LabOption.column("", 7 + 2 + width) + "  -> \(remedy)\n"
        }
        return text
      }.joined()
    }
    return "This machine\n" + lines(diagnosis.machine) + "\nBackends\n" + lines(diagnosis.backends)
  }

  private static func paint(_ text: String, _ state: Finding.State, _ isColoured: Bool) -> String {
    let colour =
      switch state {
      case .fine: 2
      case .limited: 3
      case .missing: 1
      }
    return isColoured ? "\u{1b}[3\(colour)m\(text)\u{1b}[0m" : text
  }

  static func document(_ diagnosis: Diagnosis) -> OutputValue {
    func list(_ findings: [Finding]) -> OutputValue {
      .list(
        findings.map { finding in
          [
            "subject": .text(finding.subject), "state": .text(finding.state.rawValue),
            "fact": .text(finding.fact), "remedy": .optional(finding.remedy),
          ]
        })
    }
    let limits = diagnosis.capacity.limits.map { limit -> OutputValue in
      [
        "what": .text(limit.what), "need": .integer(limit.need), "have": .integer(limit.have),
        "hosts": .integer(limit.hosts),
      ]
    }
    return [
      "works": .boolean(diagnosis.defaultWorks), "machine": list(diagnosis.machine),
      "backends": list(diagnosis.backends),
      "capacity": ["hosts": .integer(diagnosis.capacity.hosts), "limits": .list(limits)],
    ]
  }
}
