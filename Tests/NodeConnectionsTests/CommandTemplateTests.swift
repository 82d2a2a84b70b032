// The command that reaches an agent, made from the configuration's text.

import Testing

@testable import NodeConnections

@Suite("The node command") struct CommandTemplateTests {
  @Test("blanks part words, quotes keep them, and the host goes where it belongs")
  func words() throws {
    let template = try CommandTemplate("ssh -o 'Batch Mode=yes' root@{host} \"a b\"  agent")
    #expect(
      try template.words(host: "node1")
        == ["ssh", "-o", "Batch Mode=yes", "root@node1", "a b", "agent"])
  }

  @Test(
    "a host name that could be more than a name is refused",
    arguments: ["", "-oProxyCommand=x", "a b", "a;b", "$(x)", "a\nb", "nodé"])
  func hostNames(_ host: String) throws {
    let template = try CommandTemplate("ssh {host}")
    #expect(throws: CommandTemplate.Failure.self) { try template.words(host: host) }
  }

  @Test("an empty command and an open quote are refused", arguments: ["", "  ", "ssh 'x"])
  func badTemplates(_ text: String) {
    #expect(throws: CommandTemplate.Failure.self) { try CommandTemplate(text) }
  }
}
