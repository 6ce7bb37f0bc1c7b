"""Pictures as SVG: for a page, for slides and papers.

Colors are classes, which the style sheet of a page or of a file gives a light and a dark form.
"""
