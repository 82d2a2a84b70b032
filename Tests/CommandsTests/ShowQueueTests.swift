// oarremoveresource, oarproperty, oarqueue and oarnotify: texts and exit codes as OAR 2.5.9 was
// recorded to have them, and OAR 3's for oarqueue.

import ClusterModel
import Testing
import Wire

@testable import AdminCommands
@testable import CommandLine

@Suite("commands for resources, properties and queues speak as OAR does")
struct ShowQueueTests {
  // MARK: oarremoveresource

  private func remove(_ words: [String], _ refusal: Refusal? = nil) -> Call {
    recordedCall(Oarremoveresource.self, words) { _ in [refusal.map { .refused($0) } ?? .done] }
  }

  @Test("resources are removed one after the other")
  func removal() {
    let call = remove(["5", "6"])
    #expect(
      call.output == """
        Resource to remove : 5
        Resource 5 removed.
        Resource to remove : 6
        Resource 6 removed.

        """)
    #expect(call.exitCode == 0)
  }

  @Test("a resource that lives is not removed")
  func removalOfLiving() {
    let call = remove(["5"], Refusal(.wrongState, "resource 5 is Alive"))
    #expect(
      call.output == """
        Resource to remove : 5
        /!\\ The state of the resource 5 must be set to Dead before.

        """)
    #expect(call.errors == "/!\\ resource 5 is Alive\n")
    #expect(call.exitCode == 2)
  }

  @Test("oarremoveresource needs ids", arguments: [[], ["abc"], ["0"]])
  func removalOfNothing(words: [String]) {
    let call = remove(words)
    #expect(call.exitCode == 1)
    #expect(call.requests.isEmpty)
  }

  // MARK: oarproperty

  private func property(_ words: [String], _ reply: ServerReply = .done) -> Call {
    recordedCall(Oarproperty.self, words) { _ in [reply] }
  }

  @Test("properties are added, removed, renamed and listed with OAR's words")
  func propertyChanges() {
    #expect(property(["-a", "gpu"]).output == "Added property: gpu\n")
    #expect(property(["-c", "-a", "cluster"]).output == "Added property: cluster\n")
    #expect(property(["-d", "gpu"]).output == "Removed property: gpu\n")
    #expect(
      property(["-r", "cluster,clust"]).output == "Rename property cluster into clust\n")
    #expect(property(["-q", "-a", "gpu"]).output == "")
    #expect(
      property(["-l"], .properties(Recorded.properties)).output
        == "cpuset\ndrain\nlast_available_upto\ncore\nhost\n")
    #expect(
      property(["-t"], .properties(Recorded.properties)).output.hasSuffix(
        "core : integer\nhost : text\n"))
  }

  @Test("a new property is of whole numbers unless -c is given")
  func propertyKinds() throws {
    for (words, kind) in [(["-a", "x"], PropertyKind.integer), (["-c", "-a", "x"], .text)] {
      let call = property(words)
      guard case .properties(.add(let definition)) = try #require(call.requests.first) else {
        Issue.record("nothing was added")
        return
      }
      #expect(definition == PropertyDefinition(name: "x", kind: kind))
    }
  }

  @Test(
    "names that can't be changed are refused before the server is asked",
    arguments: [
      (["-a", "bad name"], 255, "Error: 'bad name' is not a valid property name"),
      (["-a", "1st"], 255, "Error: '1st' is not a valid property name"),
      (["-a", "state"], 1, "Error: 'state' is a OAR system property and may not be altered\n"),
      (["-d", "state"], 1, "Error: 'state' is a OAR system property and may not be altered\n"),
      (["-r", "state,x"], 1, "Error: 'state' is a OAR"),
      (["-r", "x"], 1, "Error: 'x' is not OLD,NEW"), ([], 1, ""),
    ] as [([String], Int32, String)])
  func badProperties(words: [String], code: Int32, text: String) {
    let call = property(words)
    #expect(call.exitCode == code)
    #expect(call.errors.hasPrefix(text))
    #expect(call.requests.isEmpty)
  }

  @Test("what the server refuses ends with 255")
  func refusedProperty() {
    let call = property(
      ["-a", "gpu"], .refused(Refusal(.alreadyAsked, "the property \"gpu\" already exists")))
    #expect(call.exitCode == 255)
    #expect(call.errors == "Error: the property \"gpu\" already exists\n")
  }

  // MARK: queues

  private func queue(
    _ command: (some Command).Type, _ words: [String], _ refusal: Refusal? = nil
  ) -> Call {
    recordedCall(command, words) { request in
      if let refusal { return [.refused(refusal)] }
      if case .queues(.list) = request { return [.queues(Queue.standard)] }
      return [.done]
    }
  }

  @Test("oarnotify -l lists queues as OAR 2, oarqueue as OAR 3")
  func queueList() {
    #expect(
      queue(Oarnotify.self, ["-l"]).output == """
        admin
        \tpriority = 10
        \tscheduler = kamelot
        \tstate = Active
        default
        \tpriority = 2
        \tscheduler = kamelot
        \tstate = Active
        besteffort
        \tpriority = 0
        \tscheduler = kamelot
        \tstate = Active

        """)
    #expect(queue(Oarqueue.self, []).output.contains("default\n\tpriority = 2\n\tpolicy = kamelot"))
    #expect(queue(Oarqueue.self, ["-l"]).output == queue(Oarqueue.self, []).output)
  }

  @Test(
    "changes of queues are said in OAR's words",
    arguments: [
      (
        ["--add-queue", "test,5,kamelot"],
        "Add queue test with the priority 5 and the scheduler kamelot.\n"
      ),
      (
        ["--add-queue", "test2"], "Add queue test2 with the priority 0 and the scheduler kamelot.\n"
      ),
      (["-d", "test"], "Disable queue test.\n"), (["-e", "test"], "Enable queue test.\n"),
      (["-D"], "Disable all queues.\n"), (["-E"], "Enable all queues.\n"),
      (["--remove-queue", "test"], "Remove queue test.\n"), ([], ""),
    ])
  func queueChanges(words: [String], output: String) {
    let call = queue(Oarnotify.self, words)
    #expect(call.output == output)
    #expect(call.exitCode == 0)
  }

  @Test(
    "oarqueue has OAR 3's options for the same",
    arguments: [
      ["--add", "night,3,kamelot"], ["--change", "night,4,kamelot"], ["--remove", "night"],
      ["-e", "night"], ["-d", "night"], ["-E"], ["-D"],
    ])
  func queueOptions(words: [String]) {
    let call = queue(Oarqueue.self, words)
    #expect(call.exitCode == 0)
    #expect(call.requests.count == 1)
    #expect(call.output.hasSuffix(".\n"))
  }

  @Test("a queue with a priority that is no number is refused before the server is asked")
  func badQueue() {
    for words in [
      ["--add-queue", "test,x,y"], ["--add-queue", ",1"], ["--add-queue", "a,1,b,c"],
    ] {
      let call = queue(Oarnotify.self, words)
      #expect(call.exitCode == 1)
      #expect(call.requests.isEmpty)
    }
  }

  @Test("what the server refuses is told, and those who may not manage queues get 8")
  func refusedQueue() {
    let unknown = Refusal(.unknownQueue, "there is no queue \"nosuch\"")
    let call = queue(Oarnotify.self, ["-d", "nosuch"], unknown)
    #expect(call.exitCode == 1)
    #expect(call.output == "")
    #expect(call.errors == "[ERROR] there is no queue \"nosuch\"\n")
    let forbidden = Refusal(.notAdministrator, "only root and oar may manage queues")
    #expect(queue(Oarqueue.self, ["-E"], forbidden).exitCode == 8)
  }

  @Test("a tag makes the server plan; one that it has no use for is ignored with a word")
  func tags() throws {
    for tag in ["Term", "Scheduling", "ChState"] {
      guard case .plan = try #require(queue(Oarnotify.self, [tag]).requests.first) else {
        Issue.record("\(tag) does not plan")
        return
      }
    }
    let call = queue(Oarnotify.self, ["Foo"])
    #expect(call.exitCode == 0)
    #expect(call.requests.isEmpty)
    #expect(call.errors.contains("\"Foo\""))
  }
}
