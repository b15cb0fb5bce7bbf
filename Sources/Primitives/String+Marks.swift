extension String {
    /// With another text in the place of each of some marks, whatever follows it: with an accent
    /// behind it a quote is one character, which does not equal a quote, and quotes all the same.
    package func replacing(marks others: [Unicode.Scalar: String]) -> String {
        var text = ""
        for scalar in unicodeScalars {
            if let other = others[scalar] {
                text += other
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
