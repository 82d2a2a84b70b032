// The picture of a simulation: for each workload how much longer jobs wait, and how much of pods' work was not lost.

extension SimulationReport {
  /// An SVG document.
  public var picture: String {
    let changes = (1...settings.workloads).map { workload in
      (change(.scripts, workload: workload), change(.bebida, workload: workload))
    }
    let effects = (1...settings.workloads).map { workload in
      (
        mean(.scripts, workload: workload, \.effectiveness),
        mean(.bebida, workload: workload, \.effectiveness)
      )
    }
    let most = changes.map { max($0.0, $0.1) }.max() ?? 0
    let width = 2 * chartWidth
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) 260" font-family="sans-serif" font-size="11">
      <rect width="\(width)" height="260" fill="white"/>
      \(chart("jobs wait longer than alone (%)", changes, scale: max(most, 0.01), unit: 100, at: 0))
      \(chart("share of pods' work that is not lost (%)", effects, scale: 1, unit: 100, at: chartWidth))
      <rect x="20" y="240" width="10" height="10" fill="\(Self.colours.0)"/><text x="35" y="249">drain scripts</text>
      <rect x="120" y="240" width="10" height="10" fill="\(Self.colours.1)"/><text x="135" y="249">bebida</text>
      </svg>

      """
  }

  private static var colours: (String, String) { ("#b5651d", "#1f6f8b") }
  private var chartWidth: Int { 40 + 60 * settings.workloads }

  private func chart(
    _ title: String, _ values: [(Double, Double)], scale: Double, unit: Double, at left: Int
  ) -> String {
    var lines = ["<text x=\"\(left + 20)\" y=\"20\" font-size=\"13\">\(title)</text>"]
    for (index, pair) in values.enumerated() {
      let x = left + 25 + 60 * index
      lines.append(bar(pair.0, scale, unit, x: x, Self.colours.0))
      lines.append(bar(pair.1, scale, unit, x: x + 25, Self.colours.1))
      lines.append("<text x=\"\(x + 22)\" y=\"228\" text-anchor=\"middle\">\(index + 1)</text>")
    }
    return lines.joined(separator: "\n")
  }

  private func bar(
    _ value: Double, _ scale: Double, _ unit: Double, x: Int, _ colour: String
  ) -> String {
    let height = max(0, value / scale * 160)
    let top = decimal(212 - height, places: 1)
    let label = decimal(value * unit, places: 1)
    return """
      <rect x="\(x)" y="\(top)" width="20" height="\(decimal(height, places: 1))" fill="\(colour)"/>
      <text x="\(x + 10)" y="\(decimal(208 - height, places: 1))" text-anchor="middle" font-size="9">\(label)</text>
      """
  }
}
