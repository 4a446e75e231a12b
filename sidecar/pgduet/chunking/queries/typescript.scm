(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
[(class_declaration name: (_) @name) (abstract_class_declaration name: (_) @name)] @class
(variable_declarator name: (identifier) @name value: (class)) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(internal_module name: (_) @name) @scope
(module name: (_) @name) @scope
(method_definition name: (_) @name) @function
(public_field_definition name: (_) @name value: [(arrow_function) (function_expression)]) @function

; A function kept in a variable counts at the top of a module only: in a callback it is a mere step.
(program (_ (variable_declarator
  name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @function))
(export_statement (_ (variable_declarator
  name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @function))
(export_statement "default" @name value: [(arrow_function) (function_expression) (class)] @function)

(assignment_expression
  left: (member_expression) @name
  right: [(arrow_function) (function_expression) (generator_function)]) @function

; Objects made of functions: `const api = { fetch() {} }`, `module.exports = { fetch: () => 1 }`.
(program (_ (variable_declarator name: (identifier) @name value: (object)) @scope))
(export_statement (_ (variable_declarator name: (identifier) @name value: (object)) @scope))
(variable_declarator value: (object (pair key: (_) @name value: [(arrow_function) (function_expression)]) @function))
(assignment_expression right: (object (pair key: (_) @name value: [(arrow_function) (function_expression)]) @function))
(export_statement value: (object (pair key: (_) @name value: [(arrow_function) (function_expression)]) @function))
[(comment) (decorator)] @lead
(export_statement (_) @inner) @wrapper
(lexical_declaration (variable_declarator) @inner) @wrapper
(variable_declaration (variable_declarator) @inner) @wrapper
(expression_statement (assignment_expression) @inner) @wrapper
(expression_statement (internal_module) @inner) @wrapper
(ambient_declaration (_) @inner) @wrapper
