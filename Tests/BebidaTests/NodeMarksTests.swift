// Our marks on nodes, among those of others.

import Encoding
import KubernetesClient
import Testing

@testable import Bebida

@Suite("Marks on a node in Kubernetes")
struct NodeMarksTests {
  /// A node as the API shows it.
  private func node(_ text: String) throws -> Node {
    var reader = JSONReader(Array(text.utf8))
    return try Node(from: &reader)
  }

  /// What the API server makes of the steps.
  private func after(_ steps: [Patch.Step]?, on text: String) throws -> String {
    try #require(steps).reduce(try JSONReader.read(text)) { try $0.taking($1) }.text
  }

  private let plain = #"{"metadata":{"name":"node1","resourceVersion":"7"},"spec":{}}"#
  /// Cordoned by an administrator, with a taint of a site's that has a date.
  private let foreign = """
    {"metadata":{"name":"node1","annotations":{"a/b":"c"}},"spec":{"unschedulable":true,\
    "taints":[{"key":"site","effect":"NoExecute","timeAdded":"2026-01-01T00:00:00Z"}]}}
    """

  @Test("a node is closed, fenced and opened, and shows each", arguments: [0, 1])
  func round(_ which: Int) throws {
    var text = which == 0 ? plain : foreign
    for (index, marks) in [Marks.closed, .fenced, .none].enumerated() {
      let epoch = Int64(3 + index / 2)
      let steps = try node(text).steps(to: marks, epoch: epoch, reason: "job 5 holds it")
      text = try after(steps, on: text)
      let view = KubernetesView(of: try node(text), pods: [])
      #expect(view.marks == marks)
      #expect(view.epoch == epoch)
      #expect(try node(text).isUnschedulable == (marks > .none || which == 1))
      #expect(try node(text).steps(to: marks, epoch: epoch, reason: "another") == [])
    }
    // What others put there is as it was, to the field.
    if which == 1 {
      let left = try JSONReader.read(text)
      #expect(left["spec"] == (try JSONReader.read(foreign))["spec"])
      #expect(left["metadata"]?["annotations"]?["a/b"] == .string("c"))
    }
  }

  @Test("whoever comes late with a lower epoch has nothing to do")
  func late() throws {
    let marked = try after(try node(plain).steps(to: .fenced, epoch: 9, reason: ""), on: plain)
    #expect(try node(marked).steps(to: .none, epoch: 8, reason: "") == nil)
  }

  @Test("a node that somebody uncordoned counts as neither closed nor open, and is closed again")
  func uncordoned() throws {
    var marked = try node(
      try after(try node(plain).steps(to: .closed, epoch: 2, reason: ""), on: plain))
    marked.isUnschedulable = false
    #expect(KubernetesView(of: marked, pods: []).marks == nil)
    let steps = try #require(marked.steps(to: .closed, epoch: 2, reason: ""))
    #expect(steps.contains { $0.path == "/spec/unschedulable" })
  }
}

extension JSONValue {
  struct NoSuchPlace: Error {}

  /// The tree after a step of RFC 6902, as far as marks need it.
  fileprivate func taking(_ step: Patch.Step) throws -> JSONValue {
    let names = step.path.split(separator: "/").map {
      $0.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
    }
    return try changed(at: names[...], step)
  }

  private func changed(at names: ArraySlice<String>, _ step: Patch.Step) throws -> JSONValue {
    guard let name = names.first else { throw NoSuchPlace() }
    let isLast = names.count == 1
    switch self {
    case .object(var members):
      let index = members.firstIndex { $0.name == name }
      if !isLast {
        guard let index else { throw NoSuchPlace() }
        members[index].value = try members[index].value.changed(at: names.dropFirst(), step)
      } else if step.operation == "remove" {
        guard let index else { throw NoSuchPlace() }
        members.remove(at: index)
      } else if let value = step.value {
        if let index { members[index].value = value } else { members.append(.init(name, value)) }
      }
      return .object(members)
    case .array(var elements):
      guard isLast else { throw NoSuchPlace() }
      if step.operation == "remove" {
        guard let index = Int(name), elements.indices.contains(index) else { throw NoSuchPlace() }
        elements.remove(at: index)
      } else if name == "-", let value = step.value {
        elements.append(value)
      }
      return .array(elements)
    default: throw NoSuchPlace()
    }
  }
}
